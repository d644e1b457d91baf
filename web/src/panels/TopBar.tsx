import { CircleHelp, Cloud, CloudOff, Download, FileInput, House, LoaderCircle, Moon, Plus, Redo2, Sun, Undo2 } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { commandById, run } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { ACCEPTED } from "../session/mediaIn";
import { Button, IconButton } from "../ui/Button";
import { EditableText } from "../ui/EditableText";
import { isMac } from "../ui/Keys";
import { useTheme } from "../ui/theme";

const mod = isMac ? "⌘" : "Ctrl";

export function TopBar({ onHome, onFiles }: { readonly onHome: () => void; readonly onFiles: (files: File[]) => void }) {
  const session = useSession();
  const name = useStudio((state) => state.project.name);
  const numUndo = useStudio((state) => state.project.num_undo);
  const numRedo = useStudio((state) => state.project.num_redo);
  const undoName = useStudio((state) => state.undoNames.at(-1));
  const redoName = useStudio((state) => state.redoNames.at(-1));
  const hasMedia = useStudio((state) => state.project.media.length > 0);
  const [theme, toggleTheme] = useTheme();
  const picker = useRef<HTMLInputElement>(null);
  const act = (id: string): void => { run(session, commandById(id)); };
  return (
    <header className="top-bar">
      <IconButton label="All projects" onClick={onHome} className="home-button" tip="right">
        <House size={18} />
      </IconButton>
      <h1 className="visually-hidden">masklet studio</h1>
      <EditableText className="project-name" label="Project name" value={name} onChange={(next) => void session.rename(next)} />
      <SavingMark />
      <div className="top-bar-end">
        <IconButton label={`Undo${undoName === undefined ? "" : ` ${undoName}`}`} keys={`${mod} Z`} disabled={numUndo === 0} onClick={() => { act("undo"); }}>
          <Undo2 size={18} />
        </IconButton>
        <IconButton label={`Redo${redoName === undefined ? "" : ` ${redoName}`}`} keys={`${mod} Shift Z`} disabled={numRedo === 0} onClick={() => { act("redo"); }}>
          <Redo2 size={18} />
        </IconButton>
        <span className="bar-gap" />
        <IconButton label="Add images or videos" onClick={() => picker.current?.click()}>
          <Plus size={18} />
        </IconButton>
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          accept={ACCEPTED}
          onChange={(event) => {
            onFiles([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
        <IconButton label="Import labels" disabled={!hasMedia} onClick={() => { act("import"); }} className="wide-only">
          <FileInput size={18} />
        </IconButton>
        <IconButton label={theme === "dark" ? "Light theme" : "Dark theme"} onClick={toggleTheme} className="wide-only">
          {theme === "dark" ? <Sun size={18} /> : <Moon size={18} />}
        </IconButton>
        <IconButton label="Keys and help" keys="?" onClick={() => { act("help"); }} className="wide-only">
          <CircleHelp size={18} />
        </IconButton>
        <Button look="plain" className="export-button" icon={<Download size={17} />} onClick={() => { act("export"); }}>
          Export
        </Button>
      </div>
    </header>
  );
}

const SAVING: Readonly<Record<"saved" | "saving" | "offline", { icon: ReactNode; text: string }>> = {
  saved: { icon: <Cloud size={15} />, text: "Saved" },
  saving: { icon: <LoaderCircle size={15} className="spin" />, text: "Saving" },
  offline: { icon: <CloudOff size={15} />, text: "Not connected, trying again" },
};

function SavingMark() {
  const saving = useStudio((state) => state.saving);
  const { icon, text } = SAVING[saving];
  return (
    <span className={`saving saving-${saving}`} role="status" data-testid="saving">
      {icon}
      <span>{text}</span>
    </span>
  );
}
