import { useEffect, useRef, useState } from "react";

/** Files dropped anywhere on the page; true while some are held over it. */
export function useDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [isDragged, setDragged] = useState(false);
  const take = useRef(onFiles);
  useEffect(() => { take.current = onFiles; }, [onFiles]);
  useEffect(() => {
    const ended = new AbortController();
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    const listen = (type: "dragover" | "dragleave" | "drop", handle: (event: DragEvent) => void): void => {
      window.addEventListener(type, handle, { signal: ended.signal });
    };
    listen("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragged(true);
    });
    listen("dragleave", (event) => { if (event.relatedTarget === null) setDragged(false); });
    listen("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragged(false);
      take.current([...(event.dataTransfer?.files ?? [])]);
    });
    return () => { ended.abort(); };
  }, []);
  return isDragged;
}
