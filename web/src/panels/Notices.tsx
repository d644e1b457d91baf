import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import { useSession, useStudio } from "../session/context";
import { Button, IconButton } from "../ui/Button";

const icons = { info: Info, done: CircleCheck, error: CircleAlert };

/** Short messages that teach or report; they go by themselves. */
export function Notices() {
  const session = useSession();
  const notices = useStudio((state) => state.notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map(({ id, kind, text, action }) => {
        const Icon = icons[kind];
        return (
          <div key={id} className={`notice notice-${kind}`}>
            <Icon size={18} aria-hidden="true" />
            <p>{text}</p>
            {action === undefined ? null : (
              <Button
                look="quiet"
                onClick={() => {
                  session.dismiss(id);
                  action.perform();
                }}
              >
                {action.label}
              </Button>
            )}
            <IconButton label="Dismiss" tip="left" onClick={() => { session.dismiss(id); }}>
              <X size={15} />
            </IconButton>
          </div>
        );
      })}
    </div>
  );
}
