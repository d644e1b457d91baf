import { Download, LoaderCircle } from "lucide-react";
import { useMemo, useState } from "react";
import { cancelJob, fileAddress, startExport } from "../../api/requests";
import type { Job, Media } from "../../model/document";
import { isOriginal, withColors } from "../../model/effectChoices";
import { groupsFor, type ExportChoice, type ExportGroup } from "../../model/formats";
import { count, duration } from "../../model/words";
import { useSession, useStudio } from "../../session/context";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { saveAddress } from "../saveFile";

export function ExportDialog({ media }: { readonly media: Media }) {
  const session = useSession();
  const project = useStudio((state) => state.project);
  const jobs = useStudio((state) => state.jobs);
  const isImage = media.num_frames === 1;
  const isMixed = project.media.some((one) => (one.num_frames === 1) !== isImage);
  const groups = useMemo(() => groupsFor(isImage, !isMixed), [isImage, isMixed]);
  const [chosen, setChosen] = useState<ExportChoice>(() => firstChoice(groups, media, isOriginal(session.state.effects)));
  const [isWhole, setWhole] = useState(false);
  const [withPictures, setWithPictures] = useState(false);
  const [jobId, setJobId] = useState<string | null>(null);
  const job = jobs.find((one) => one.id === jobId) ?? null;
  const isRunning = job?.status === "waiting" || job?.status === "running";
  const canBeWhole = project.media.length > 1 && chosen.kind === "labels" && chosen.about.isSingle !== true;
  const hasMasks = media.objects.length > 0 || project.media.some((one) => one.objects.length > 0);
  const choose = (one: ExportChoice): void => {
    setChosen(one);
    setJobId(null);
  };
  const begin = (): void =>
    void session.attempt(async () => {
      const { kind, format, about } = chosen;
      const started = await startExport(project.id, {
        kind,
        format,
        mediaId: kind === "project" || (canBeWhole && isWhole) ? null : media.id,
        withPictures: about.hasPictures === true && withPictures,
        effects: kind === "effects" ? withColors(session.state.effects, media) : null,
      });
      session.takeJob(started);
      setJobId(started.id);
    });
  return (
    <Dialog title="Export" width="wide" onClose={() => { session.store.set({ dialog: "none" }); }}>
      <div className="export-groups" role="radiogroup" aria-label="What to export">
        {groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <div className="export-choices">
              {group.choices.map((one) => (
                <Choice key={one.id} choice={one} isChosen={one === chosen} isDisabled={isRunning} onChoose={() => { choose(one); }} />
              ))}
            </div>
          </section>
        ))}
      </div>
      <footer className="dialog-foot">
        <div className="export-options">
          {canBeWhole ? (
            <label>
              <input type="checkbox" checked={isWhole} disabled={isRunning} onChange={(event) => { setWhole(event.target.checked); setJobId(null); }} />
              All {count(project.media.length, "image or video", "images and videos")} of the project
            </label>
          ) : null}
          {chosen.about.hasPictures === true ? (
            <label>
              <input type="checkbox" checked={withPictures} disabled={isRunning} onChange={(event) => { setWithPictures(event.target.checked); setJobId(null); }} />
              With the pictures
            </label>
          ) : null}
          {hasMasks || job !== null ? <ExportState job={job} /> : <span className="export-state">Nothing is cut out yet: click an object first.</span>}
        </div>
        {job?.status === "done" ? (
          <Button look="primary" icon={<Download size={17} />} onClick={() => { saveAddress(fileAddress(job.id), `${project.name}.${chosen.about.ending}`); }}>
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

interface ChoiceProps {
  readonly choice: ExportChoice;
  readonly isChosen: boolean;
  readonly isDisabled: boolean;
  readonly onChoose: () => void;
}

function Choice({ choice, isChosen, isDisabled, onChoose }: ChoiceProps) {
  const { name, text, ending } = choice.about;
  return (
    <label className="export-choice" data-chosen={isChosen}>
      <input
        type="radio"
        name="export"
        value={choice.id}
        aria-label={name}
        aria-describedby={`about-${choice.id}`}
        checked={isChosen}
        disabled={isDisabled}
        onChange={onChoose}
      />
      <span>
        <b>
          {name} <i>.{ending}</i>
        </b>
        <small id={`about-${choice.id}`}>{text}</small>
      </span>
    </label>
  );
}

/** What most people want: the effects that they have set, the video to watch, or the masks of an image. */
function firstChoice(groups: readonly ExportGroup[], media: Media, isPlain: boolean): ExportChoice {
  const id = !isPlain ? "effects" : media.num_frames > 1 ? "overlay" : "coco";
  const choices = groups.flatMap((group) => group.choices);
  return choices.find((one) => one.id === id) ?? choices[0];
}

function ExportState({ job }: { readonly job: Job | null }) {
  if (job === null) return <span className="export-state" />;
  const left = job.seconds_left == null || job.num_done === 0 ? "" : `, ${duration(job.seconds_left)} left`;
  const words: Readonly<Record<Job["status"], string>> = {
    waiting: "Waiting",
    running: job.num_total === 0 ? "Writing" : `${String(job.num_done)} of ${String(job.num_total)}${left}`,
    done: "The file is ready.",
    cancelled: "Cancelled.",
    failed: job.message,
  };
  return (
    <span className={`export-state export-${job.status}`} role="status">
      {job.status === "running" || job.status === "waiting" ? <LoaderCircle size={16} className="spin" aria-hidden="true" /> : null}
      <span>{words[job.status]}</span>
      {job.status === "done" && job.message !== "" ? <small>{job.message}</small> : null}
    </span>
  );
}
