import { useState } from "react";
import type { Media } from "../model/document";
import type { Panel } from "../model/state";
import { useSession, useStudio } from "../session/context";
import { Tabs } from "../ui/Tabs";
import { ClassesPanel } from "./ClassesPanel";
import { EffectsPanel } from "./EffectsPanel";
import { ObjectsPanel } from "./ObjectsPanel";
import { ReviewPanel } from "./ReviewPanel";
import { TrackBar } from "./TrackBar";

/** Objects and classes; at the side on a desk, a sheet from below on a phone. */
export function SidePanel({ media }: { readonly media: Media }) {
  const session = useSession();
  const panel = useStudio((state) => state.panel);
  const [isRaised, setRaised] = useState(false);
  const tabs: readonly { id: Panel; label: string; badge?: number }[] = [
    { id: "objects", label: "Objects", badge: media.objects.length },
    { id: "classes", label: "Classes" },
    { id: "effects", label: "Effects" },
    { id: "review", label: "Review" },
  ];
  return (
    <aside className="side-panel" data-raised={isRaised} aria-label="Objects and classes">
      <button
        type="button"
        className="sheet-grip"
        aria-label={isRaised ? "Lower the sheet" : "Raise the sheet"}
        aria-expanded={isRaised}
        onClick={() => { setRaised(!isRaised); }}
      />
      <Tabs label="Panels" tabs={tabs} current={panel} onChoose={(id) => { session.store.set({ panel: id }); }} />
      <div className="panel-scroll" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${panel}`} tabIndex={0}>
        <PanelOf panel={panel} media={media} />
      </div>
      <TrackBar media={media} />
    </aside>
  );
}

function PanelOf({ panel, media }: { readonly panel: Panel; readonly media: Media }) {
  switch (panel) {
    case "objects":
      return <ObjectsPanel media={media} />;
    case "classes":
      return <ClassesPanel />;
    case "effects":
      return <EffectsPanel media={media} />;
    case "review":
      return <ReviewPanel />;
  }
}
