import { createContext, useContext, useSyncExternalStore } from "react";
import type { StudioState } from "../model/state";
import type { StudioSession } from "./studioSession";

export const SessionContext = createContext<StudioSession | null>(null);

export function useSession(): StudioSession {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("This part of the page needs an open project.");
  return session;
}

/** A part of the state; the component is drawn again when it changes. `select` gives values that stay the same. */
export function useStudio<Part>(select: (state: StudioState) => Part): Part {
  const { store } = useSession();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
