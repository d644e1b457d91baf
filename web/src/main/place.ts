import { useCallback, useEffect, useState } from "react";

/** Where the person is; kept in the address, so that reload and back work. */
export type Place = { readonly kind: "home" } | { readonly kind: "live" } | { readonly kind: "project"; readonly id: string };

export function placeOf(search: string): Place {
  const parts = new URLSearchParams(search);
  const id = parts.get("project");
  if (id !== null && /^[0-9a-f]{16}$/.test(id)) return { kind: "project", id };
  return parts.has("live") ? { kind: "live" } : { kind: "home" };
}

function searchOf(place: Place): string {
  if (place.kind === "project") return `/?project=${place.id}`;
  return place.kind === "live" ? "/?live" : "/";
}

export function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(() => placeOf(window.location.search));
  useEffect(() => {
    const back = (): void => { setPlace(placeOf(window.location.search)); };
    window.addEventListener("popstate", back);
    return () => { window.removeEventListener("popstate", back); };
  }, []);
  const go = useCallback((next: Place) => {
    window.history.pushState(null, "", searchOf(next));
    setPlace(next);
  }, []);
  return [place, go];
}
