import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import { useEffect, useState } from "react";
import type { Notice } from "../model/state";
import { useSession, useStudio } from "../session/context";
import { Button, IconButton } from "../ui/Button";

const icons = { info: Info, done: CircleCheck, error: CircleAlert };
const SHORT_MS = 6000;
/** What went wrong, or asks for something, takes longer to read. */
const LONG_MS = 12_000;

/** Short messages that teach or report; they go by themselves, but not while somebody is at them. */
export function Notices() {
  const notices = useStudio((state) => state.notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function NoticeCard({ notice: { id, kind, text, action } }: { readonly notice: Notice }) {
  const session = useSession();
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const isHeld = isPointed || isFocused;
  const lastsMs = kind === "error" || action !== undefined ? LONG_MS : SHORT_MS;
  useEffect(() => {
    if (isHeld) return undefined;
    const timer = setTimeout(() => { session.dismiss(id); }, lastsMs);
    return () => { clearTimeout(timer); };
  }, [session, id, isHeld, lastsMs]);
  const Icon = icons[kind];
  return (
    <div
      className={`notice notice-${kind}`}
      onPointerEnter={() => { setPointed(true); }}
      onPointerLeave={() => { setPointed(false); }}
      onFocus={() => { setFocused(true); }}
      onBlur={() => { setFocused(false); }}
    >
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
}
