import { Moon, Sun, Video } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { describeError } from "../../api/client";
import { listProjects, removeProject } from "../../api/requests";
import type { ListedProject } from "../../model/document";
import type { MediaIn } from "../../session/mediaIn";
import { Button, IconButton } from "../../ui/Button";
import { useTheme } from "../../ui/theme";
import { FilePicker } from "./FilePicker";
import { FirstSteps } from "./FirstSteps";
import { IncomingList } from "./IncomingList";
import { ProjectCard } from "./ProjectCard";
import { SampleCard } from "./SampleCard";
import { useDrop } from "./useDrop";

interface HomePageProps {
  readonly mediaIn: MediaIn;
  readonly onOpen: (projectId: string) => void;
  readonly onLive: () => void;
}

export function HomePage({ mediaIn, onOpen, onLive }: HomePageProps) {
  const [projects, setProjects] = useState<readonly ListedProject[] | null>(null);
  const [problem, setProblem] = useState("");
  const [theme, toggleTheme] = useTheme();
  const refresh = useCallback(
    () =>
      listProjects().then(
        (found) => {
          setProjects(found);
          setProblem("");
        },
        (error: unknown) => { setProblem(describeError(error)); },
      ),
    [],
  );
  useEffect(() => {
    void refresh();
  }, [refresh]);
  const take = (files: readonly File[]): void =>
    void mediaIn.take(files, null).then((id) => { if (id !== null) onOpen(id); });
  const isDragged = useDrop(take);
  const remove = (project: ListedProject): void => {
    if (!window.confirm(`Remove ${project.name} with its media and masks? This cannot be undone.`)) return;
    void removeProject(project.id).then(refresh, (error: unknown) => { setProblem(describeError(error)); });
  };
  return (
    <div className="home" data-empty={projects?.length === 0}>
      <header className="home-bar">
        <img src="/icon.svg" width={28} height={28} alt="" />
        <b>masklet</b>
        <span>studio</span>
        <div className="top-bar-end">
          <IconButton label={theme === "dark" ? "Light theme" : "Dark theme"} tip="left" onClick={toggleTheme}>
            {theme === "dark" ? <Sun size={18} /> : <Moon size={18} />}
          </IconButton>
        </div>
      </header>
      <main>
        <section className="hero">
          <div className="hero-text">
            <h1>Click an object. Follow it through the whole video.</h1>
            <p>Everything stays on this machine.</p>
            <div className="drop-zone" data-dragged={isDragged}>
              <FilePicker onFiles={take} label="Open images or videos" />
              <span className="drop-words">or drop them anywhere</span>
            </div>
            <Button look="quiet" icon={<Video size={18} />} onClick={onLive}>
              Use the camera
            </Button>
          </div>
          <SampleCard onPick={() => void mediaIn.takeSample().then((id) => { if (id !== null) onOpen(id); })} />
        </section>
        {problem === "" ? null : (
          <p className="home-problem" role="alert">
            {problem} <Button onClick={() => void refresh()}>Try again</Button>
          </p>
        )}
        {projects !== null && projects.length > 0 ? (
          <section className="projects">
            <h2>Your projects</h2>
            <ul>
              {projects.map((project) => (
                <ProjectCard key={project.id} project={project} onOpen={() => { onOpen(project.id); }} onRemove={() => { remove(project); }} />
              ))}
            </ul>
          </section>
        ) : projects === null ? null : (
          <FirstSteps />
        )}
      </main>
      <IncomingList mediaIn={mediaIn} />
      {isDragged ? <div className="drop-veil">Drop to open</div> : null}
    </div>
  );
}
