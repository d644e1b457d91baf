import { Images, Trash2 } from "lucide-react";
import { useState } from "react";
import { frameAddress } from "../../api/requests";
import type { ListedProject } from "../../model/document";
import { ago, count } from "../../model/words";
import { IconButton } from "../../ui/Button";

interface ProjectCardProps {
  readonly project: ListedProject;
  readonly onOpen: () => void;
  readonly onRemove: () => void;
}

export function ProjectCard({ project, onOpen, onRemove }: ProjectCardProps) {
  const [now] = useState(() => Date.now() / 1000);
  return (
    <li className="project-card">
      <button type="button" onClick={onOpen}>
        <span className="project-cover">
          {project.cover_id === null ? (
            <Images size={28} aria-hidden="true" />
          ) : (
            <img src={frameAddress(project.cover_id, 0, 240)} alt="" loading="lazy" draggable={false} />
          )}
        </span>
        <b>{project.name}</b>
        <small>
          {project.num_media === 0 ? "Empty" : count(project.num_media, "file")} · {ago(project.changed_s, now)}
        </small>
      </button>
      <IconButton label={`Remove ${project.name}`} className="project-remove" tip="left" onClick={onRemove}>
        <Trash2 size={15} />
      </IconButton>
    </li>
  );
}
