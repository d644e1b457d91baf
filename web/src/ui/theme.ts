import { useEffect, useState } from "react";

export type Theme = "dark" | "light";

const NAME = "masklet-theme";

function firstTheme(): Theme {
  const kept = window.localStorage.getItem(NAME);
  if (kept === "dark" || kept === "light") return kept;
  return window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** The look of the page: as the system has it until the person chooses. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(firstTheme);
  useEffect(() => { document.documentElement.dataset["theme"] = theme; }, [theme]);
  const toggle = (): void => {
    const next = theme === "dark" ? "light" : "dark";
    window.localStorage.setItem(NAME, next);
    setTheme(next);
  };
  return [theme, toggle];
}
