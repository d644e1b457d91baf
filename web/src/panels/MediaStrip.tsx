import { Film, Trash2 } from "lucide-react";
import { frameAddress, removeMedia } from "../api/requests";
import type { Media } from "../model/document";
import { count } from "../model/words";
import { useSession, useStudio } from "../session/context";
import { IconButton } from "../ui/Button";

/** All images and videos of the project; not there while there is only one. */
export function MediaStrip() {
  const session = useSession();
  const media = useStudio((state) => state.project.media);
  const current = useStudio((state) => state.mediaId);
  if (media.length < 2) return null;
  const remove = (id: string, name: string): void => {
    if (window.confirm(`Remove ${name} with everything you did on it? This cannot be undone.`)) {
      void session.attempt(() => removeMedia(id));
    }
  };
  return (
    <nav className="media-strip" aria-label="Images and videos">
      <ul>
        {media.map((one) => (
          <li key={one.id} data-current={one.id === current}>
            <button type="button" aria-current={one.id === current} aria-label={nameOf(one)} onClick={() => { session.open(one.id); }}>
              <img src={frameAddress(one.id, 0, Math.min(96, one.height))} alt="" loading="lazy" draggable={false} />
              {one.num_frames > 1 ? <Film size={13} className="media-kind" aria-hidden="true" /> : null}
              {one.objects.length > 0 ? <span className="media-count">{one.objects.length}</span> : null}
            </button>
            <IconButton label={`Remove ${one.name}`} className="media-remove" tip="bottom" onClick={() => { remove(one.id, one.name); }}>
              <Trash2 size={13} />
            </IconButton>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function nameOf({ name, objects }: Media): string {
  return objects.length === 0 ? name : `${name}, ${count(objects.length, "object")}`;
}
