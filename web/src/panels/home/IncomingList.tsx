import { CircleAlert, LoaderCircle, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import type { Incoming, MediaIn } from "../../session/mediaIn";
import { IconButton } from "../../ui/Button";

/** Files on their way in, and those that could not be used, with the reason. */
export function IncomingList({ mediaIn }: { readonly mediaIn: MediaIn }) {
  const { files } = useSyncExternalStore(mediaIn.store.subscribe, mediaIn.store.get);
  if (files.length === 0) return null;
  return (
    <ul className="incoming" aria-label="Files on their way" aria-live="polite">
      {files.map((file) => (
        <li key={file.id} data-status={file.status}>
          {file.status === "failed" ? <CircleAlert size={18} aria-hidden="true" /> : <LoaderCircle size={18} className="spin" aria-hidden="true" />}
          <div role={file.status === "failed" ? "alert" : undefined}>
            <b>{file.name}</b>
            <small>{wordsFor(file)}</small>
            {file.status === "sending" ? <progress value={file.share} max={1} aria-label={`Sending ${file.name}`} /> : null}
          </div>
          {file.status === "failed" ? (
            <IconButton label={`Dismiss ${file.name}`} tip="left" onClick={() => { mediaIn.dismiss(file.id); }}>
              <X size={15} />
            </IconButton>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function wordsFor(file: Incoming): string {
  switch (file.status) {
    case "waiting":
      return "Waiting";
    case "sending":
      return `${String(Math.round(100 * file.share))} %`;
    case "opening":
      return "Opening";
    case "done":
      return "Done";
    case "failed":
      return file.message;
  }
}
