import { Brush, Hand, Lasso, Minus, MousePointerClick, Plus, Sparkles, SquareDashed } from "lucide-react";
import type { ReactNode } from "react";
import type { Tool } from "../model/state";
import { commandById, run } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { IconButton } from "../ui/Button";

const tools: readonly { id: Tool; name: string; icon: ReactNode }[] = [
  { id: "click", name: "Click", icon: <MousePointerClick size={20} /> },
  { id: "box", name: "Box", icon: <SquareDashed size={20} /> },
  { id: "brush", name: "Brush", icon: <Brush size={20} /> },
  { id: "lasso", name: "Lasso", icon: <Lasso size={20} /> },
  { id: "pan", name: "Hand", icon: <Hand size={20} /> },
];

/** The tools at the side of the picture. */
export function ToolRail() {
  const session = useSession();
  const tool = useStudio((state) => state.tool);
  const isAdding = useStudio((state) => state.isAdding);
  const radius = useStudio((state) => state.brushRadius);
  const isChoosing = useStudio((state) => state.candidates !== null);
  const isFindingAll = useStudio((state) => state.candidates?.source === "everything");
  const act = (id: string): void => { run(session, commandById(id)); };
  return (
    <section className="tool-region" aria-label="Tools for the picture">
      <div className="tool-rail" role="toolbar" aria-label="Tools" aria-orientation="vertical">
        <div className="sign-switch" role="group" aria-label="Add or take away">
          <IconButton label="Add" keys="X switches" tip="right" isPressed={isAdding} className="sign-add" onClick={() => { session.store.set({ isAdding: true }); }}>
            <Plus size={18} />
          </IconButton>
          <IconButton label="Take away" keys="right click" tip="right" isPressed={!isAdding} className="sign-take" onClick={() => { session.store.set({ isAdding: false }); }}>
            <Minus size={18} />
          </IconButton>
        </div>
        {tools.map(({ id, name, icon }) => (
          <IconButton
            key={id}
            label={commandById(`tool-${id}`).label}
            keys={commandById(`tool-${id}`).keys[0].toUpperCase()}
            tip="right"
            className="tool"
            isPressed={tool === id && !isChoosing}
            onClick={() => { act(`tool-${id}`); }}
          >
            {icon}
            <span className="tool-name" aria-hidden="true">{name}</span>
          </IconButton>
        ))}
        <span className="rail-gap" />
        <IconButton label="Find all on this frame" keys="E" tip="right" className="tool" isPressed={isFindingAll} onClick={() => { act(isFindingAll ? "leave" : "everything"); }}>
          <Sparkles size={20} />
          <span className="tool-name" aria-hidden="true">Find all</span>
        </IconButton>
        {tool === "brush" ? (
          <label className="brush-size">
            <span className="visually-hidden">Brush size</span>
            <input
              type="range"
              min={1}
              max={120}
              value={radius}
              onChange={(event) => { session.store.set({ brushRadius: Number(event.target.value) }); }}
            />
          </label>
        ) : null}
      </div>
    </section>
  );
}
