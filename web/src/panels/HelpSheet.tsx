import { shownKeys } from "../model/keys";
import { commands, type Group } from "../session/commands";
import { useSession } from "../session/context";
import { Dialog } from "../ui/Dialog";
import { isMac, Keys } from "../ui/Keys";

const groups: readonly Group[] = ["Picture", "Objects", "Video", "Review", "Project"];

const pointer: readonly (readonly [string, string])[] = [
  ["Click", "Add at a point"],
  ["Right click", "Take away at a point (with −: add)"],
  ["Click on a point", "Delete it; drag to move it"],
  ["Wheel or pinch", "Zoom"],
  ["Shift and drag", "Move the picture"],
  ["Ctrl and wheel", "Zoom the timeline, over it"],
  ["Digits", "Give the selected object the class with that key"],
];

const withoutPointer: readonly (readonly [string, string])[] = [
  ["Enter", "Show a cross on the picture; click where it is"],
  ["Shift Enter", "Take away where the cross is"],
  ["Arrows", "Move the cross, with Shift in large steps"],
  ["Escape", "Hide the cross"],
  ["Alt ↑ ↓", "Move a class in its list"],
];

/** Everything that can be done, with its keys. */
export function HelpSheet() {
  const { store } = useSession();
  return (
    <Dialog title="Keys" width="wide" onClose={() => { store.set({ dialog: "none" }); }}>
      <div className="help-columns">
        <Gestures title="Pointer" rows={pointer} />
        <Gestures title="Without a pointer" rows={withoutPointer} />
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {commands
                .filter((one) => one.group === group)
                .map((one) => (
                  <div key={one.id}>
                    <dt>{one.label}</dt>
                    <dd>
                      {one.keys.slice(0, 2).map((keys) => (
                        <Keys key={keys} parts={shownKeys(keys, isMac)} />
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function Gestures({ title, rows }: { readonly title: string; readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {rows.map(([what, does]) => (
          <div key={what}>
            <dt>{does}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
