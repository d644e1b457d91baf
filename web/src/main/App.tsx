import { useCallback, useEffect, useMemo, useState } from "react";
import { describeError } from "../api/client";
import { loadProject } from "../api/requests";
import { HomePage } from "../panels/home/HomePage";
import { LivePage } from "../panels/live/LivePage";
import { Workspace } from "../panels/Workspace";
import { SessionContext } from "../session/context";
import { MediaIn } from "../session/mediaIn";
import { StudioSession } from "../session/studioSession";
import { Button } from "../ui/Button";
import { useTheme } from "../ui/theme";
import { usePlace, type Place } from "./place";

export function App() {
  const [place, go] = usePlace();
  useTheme();
  const mediaIn = useMemo(() => new MediaIn(), []);
  const open = useCallback((id: string) => { go({ kind: "project", id }); }, [go]);
  const home = useCallback(() => { go({ kind: "home" }); }, [go]);
  switch (place.kind) {
    case "home":
      return <HomePage mediaIn={mediaIn} onOpen={open} onLive={() => { go({ kind: "live" }); }} />;
    case "live":
      return <LivePage onLeave={home} />;
    case "project":
      return <ProjectPage key={place.id} id={place.id} mediaIn={mediaIn} onHome={home} go={go} />;
  }
}

interface ProjectPageProps {
  readonly id: string;
  readonly mediaIn: MediaIn;
  readonly onHome: () => void;
  readonly go: (place: Place) => void;
}

function ProjectPage({ id, mediaIn, onHome, go }: ProjectPageProps) {
  const [session, setSession] = useState<StudioSession | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let made: StudioSession | null = null;
    let isLeft = false;
    loadProject(id).then(
      (project) => {
        if (isLeft) return;
        made = new StudioSession(project);
        setSession(made);
      },
      (error: unknown) => { setProblem(describeError(error)); },
    );
    return () => {
      isLeft = true;
      made?.close();
    };
  }, [id]);
  if (problem !== "") {
    return (
      <main className="page-problem">
        <h1>This project cannot be opened</h1>
        <p role="alert">{problem}</p>
        <Button look="primary" onClick={onHome}>All projects</Button>
      </main>
    );
  }
  if (session === null) return <div className="page-wait" role="status" aria-label="Opening the project" />;
  const take = (files: readonly File[]): void =>
    void mediaIn.take(files, id).then(async (target) => {
      if (target !== null && target !== id) go({ kind: "project", id: target });
      else if (target !== null) await session.openNewest();
    });
  return (
    <SessionContext.Provider value={session}>
      <Workspace mediaIn={mediaIn} onHome={onHome} onFiles={take} />
    </SessionContext.Provider>
  );
}
