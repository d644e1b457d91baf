import { CopyPlus, FileInput, MousePointerClick, Plus } from "lucide-react";
import { findObject, type Media } from "../model/document";
import { proposeSimilar } from "../session/candidates";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { CandidatesPanel } from "./CandidatesPanel";
import { FindBar } from "./FindBar";
import { ObjectCard } from "./ObjectCard";

export function ObjectsPanel({ media }: { readonly media: Media }) {
  const session = useSession();
  const selectedId = useStudio((state) => state.selectedId);
  const isNew = useStudio((state) => state.isNewObject);
  const isChoosing = useStudio((state) => state.candidates !== null);
  if (isChoosing) return <CandidatesPanel media={media} />;
  const selected = findObject(media, selectedId);
  return (
    <div className="objects-panel">
      <FindBar />
      {media.objects.length === 0 ? <FirstSteps isVideo={media.num_frames > 1} /> : null}
      <ul className="object-list" aria-label="Objects">
        {media.objects.map((object) => (
          <ObjectCard key={object.id} media={media} object={object} isSelected={object.id === selectedId} />
        ))}
      </ul>
      {media.objects.length === 0 ? (
        <Button look="quiet" className="add-object" icon={<FileInput size={17} />} onClick={() => { session.store.set({ dialog: "import" }); }}>
          Or import labels
        </Button>
      ) : isNew ? (
        <p className="new-hint" role="status">
          <MousePointerClick size={18} aria-hidden="true" />
          Click the next object on the picture.
        </p>
      ) : (
        <div className="add-buttons">
          <Button look="quiet" className="add-object" icon={<Plus size={17} />} onClick={() => { session.beginObject(); }}>
            Add another object
          </Button>
          {selected === null ? null : (
            <Button look="quiet" className="add-object" icon={<CopyPlus size={17} />} onClick={() => void proposeSimilar(session)}>
              Find all like {selected.name}
            </Button>
          )}
          <Button look="quiet" className="add-object narrow-only" icon={<FileInput size={17} />} onClick={() => { session.store.set({ dialog: "import" }); }}>
            Import labels
          </Button>
        </div>
      )}
    </div>
  );
}

function FirstSteps({ isVideo }: { readonly isVideo: boolean }) {
  return (
    <ol className="first-steps">
      <li>
        <b>Click an object</b>
        <span>One click on the picture is often enough. Or find it by words, above.</span>
      </li>
      <li>
        <b>Correct it</b>
        <span>Click again to add a part. Right-click, or use −, to take one away.</span>
      </li>
      {isVideo ? (
        <li>
          <b>Track it</b>
          <span>masklet follows it through the whole video; correct any frame.</span>
        </li>
      ) : (
        <li>
          <b>Name it</b>
          <span>Give it a class, go on with the next, and export.</span>
        </li>
      )}
    </ol>
  );
}
