import { Archive, Braces, Clapperboard, Download, Images, LoaderCircle, WandSparkles } from "lucide-react";
import { useState, type ReactNode } from "react";
import { cancelJob, fileAddress, startExport, type ExportKind } from "../api/requests";
import type { Job, Media } from "../model/document";
import { isOriginal, withColors } from "../model/effectChoices";
import { duration } from "../model/words";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { saveAddress } from "./saveFile";

interface Choice {
  readonly kind: ExportKind;
  readonly name: string;
  readonly text: string;
  readonly ending: string;
  readonly icon: ReactNode;
}

const choices: readonly Choice[] = [
  { kind: "overlay", name: "Video with masks", text: "MP4 with every object in its colour, to watch and to show.", ending: "mp4", icon: <Clapperboard size={22} /> },
  { kind: "effects", name: "Video with effects", text: "MP4 with background and objects as the Effects tab shows them.", ending: "mp4", icon: <WandSparkles size={22} /> },
  { kind: "png", name: "PNG masks", text: "One indexed picture per frame, as DAVIS and most editors read it.", ending: "zip", icon: <Images size={22} /> },
  { kind: "coco", name: "COCO", text: "JSON with run lengths, classes and boxes, for training.", ending: "json", icon: <Braces size={22} /> },
  { kind: "project", name: "masklet project", text: "Everything, to go on elsewhere or to keep.", ending: "zip", icon: <Archive size={22} /> },
];

export function ExportDialog({ media }: { readonly media: Media }) {
  const session = useSession();
  const project = useStudio((state) => state.project);
  const jobs = useStudio((state) => state.jobs);
  const [kind, setKind] = useState<ExportKind>(() => firstChoice(media, isOriginal(session.state.effects)));
  const [jobId, setJobId] = useState<string | null>(null);
  const job = jobs.find((one) => one.id === jobId) ?? null;
  const isRunning = job?.status === "waiting" || job?.status === "running";
  const chosen = choices.find((one) => one.kind === kind) ?? choices[0];
  const begin = (): void =>
    void session.attempt(async () => {
      const { state } = session;
      const started = await startExport(project.id, kind, kind === "project" ? null : media.id, kind === "effects" ? withColors(state.effects, media) : null);
      session.takeJob(started);
      setJobId(started.id);
    });
  return (
    <Dialog title="Export" onClose={() => { session.store.set({ dialog: "none" }); }}>
      <div className="export-choices" role="radiogroup" aria-label="What to export">
        {choices.map((one) => (
          <label key={one.kind} className="export-choice" data-chosen={one.kind === kind}>
            <input
              type="radio"
              name="export"
              value={one.kind}
              checked={one.kind === kind}
              disabled={isRunning}
              onChange={() => {
                setKind(one.kind);
                setJobId(null);
              }}
            />
            {one.icon}
            <span>
              <b>{one.name}</b>
              <small>{one.text}</small>
            </span>
          </label>
        ))}
      </div>
      <footer className="dialog-foot">
        <ExportState job={job} />
        {job?.status === "done" ? (
          <Button look="primary" icon={<Download size={17} />} onClick={() => { saveAddress(fileAddress(job.id), `${project.name}.${chosen.ending}`); }}>
            Save file
          </Button>
        ) : isRunning ? (
          <Button onClick={() => void session.attempt(() => cancelJob(job.id))}>Cancel</Button>
        ) : (
          <Button look="primary" onClick={begin}>
            Export
          </Button>
        )}
      </footer>
    </Dialog>
  );
}

/** What most people want: the effects that they have set, the video to watch, or the masks of an image. */
function firstChoice(media: Media, isPlain: boolean): ExportKind {
  if (!isPlain) return "effects";
  return media.num_frames > 1 ? "overlay" : "png";
}

function ExportState({ job }: { readonly job: Job | null }) {
  if (job === null) return <span />;
  const left = job.seconds_left == null || job.num_done === 0 ? "" : `, ${duration(job.seconds_left)} left`;
  const words: Readonly<Record<Job["status"], string>> = {
    waiting: "Waiting",
    running: `${String(job.num_done)} of ${String(job.num_total)}${left}`,
    done: "The file is ready.",
    cancelled: "Cancelled.",
    failed: job.message,
  };
  return (
    <span className={`export-state export-${job.status}`} role="status">
      {job.status === "running" || job.status === "waiting" ? <LoaderCircle size={16} className="spin" aria-hidden="true" /> : null}
      {words[job.status]}
    </span>
  );
}
