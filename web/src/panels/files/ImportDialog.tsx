import { FileInput, LoaderCircle } from "lucide-react";
import { useRef, useState } from "react";
import type { Media } from "../../model/document";
import { readableNames } from "../../model/formats";
import { importLabels } from "../../session/labelsIn";
import { useSession } from "../../session/context";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";

/** Labels that another program, or this one, wrote. */
export function ImportDialog({ media }: { readonly media: Media }) {
  const session = useSession();
  const picker = useRef<HTMLInputElement>(null);
  const [isReplacing, setReplacing] = useState(false);
  const [share, setShare] = useState<number | null>(null);
  const [problem, setProblem] = useState("");
  const take = async (file: File): Promise<void> => {
    setProblem("");
    setShare(0);
    const failed = await importLabels(session, file, isReplacing ? "replace" : "add", setShare);
    setShare(null);
    if (failed === null) session.store.set({ dialog: "none", panel: "objects" });
    else setProblem(failed);
  };
  return (
    <Dialog title="Import labels" onClose={() => { session.store.set({ dialog: "none" }); }}>
      <p className="dialog-text">
        Masks and classes from a file or an archive go onto {media.name} and onto others of this project that have the same names. You can correct
        them like your own; what you leave alone keeps its masks.
      </p>
      <fieldset className="import-mode" disabled={share !== null}>
        <legend className="visually-hidden">What becomes of the objects that are there</legend>
        <label>
          <input type="radio" name="mode" checked={!isReplacing} onChange={() => { setReplacing(false); }} />
          <span>Keep the objects that are there, and add these</span>
        </label>
        <label>
          <input type="radio" name="mode" checked={isReplacing} onChange={() => { setReplacing(true); }} />
          <span>Put them in place of the objects that are there</span>
        </label>
      </fieldset>
      <p className="dialog-text dialog-fine">
        {readableNames().join(" · ")}. The format is recognised; folders go in as ZIP or TAR.
      </p>
      {problem === "" ? null : (
        <p className="dialog-problem" role="alert">
          {problem}
        </p>
      )}
      <footer className="dialog-foot">
        <span className="export-state" role="status">
          {share === null ? null : (
            <>
              <LoaderCircle size={16} className="spin" aria-hidden="true" />
              {share < 1 ? `Sending, ${String(Math.round(100 * share))} %` : "Reading"}
            </>
          )}
        </span>
        <Button look="primary" icon={<FileInput size={17} />} disabled={share !== null} onClick={() => picker.current?.click()}>
          Choose a file
        </Button>
        <input
          ref={picker}
          type="file"
          hidden
          accept=".json,.xml,.zip,.tar,.tgz,.gz,.bz2,.xz"
          data-testid="labels-file"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file !== undefined) void take(file);
          }}
        />
      </footer>
    </Dialog>
  );
}
