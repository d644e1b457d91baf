import { X } from "lucide-react";
import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { IconButton } from "./Button";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly width?: "narrow" | "wide";
}

/** A modal dialog; the browser holds the focus inside and gives it back afterwards. */
export function Dialog({ title, onClose, children, width = "narrow" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  // closed before it leaves the page: the browser gives the focus back only then
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog !== null && !dialog.open) {
      dialog.showModal();
      heading.current?.focus(); // not the button that closes: its tooltip would be the first thing to read
    }
    return () => { dialog?.close(); };
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog dialog-${width}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => { if (event.target === element.current) onClose(); }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={titleId} ref={heading} tabIndex={-1}>{title}</h2>
          <IconButton label="Close" tip="left" onClick={onClose}>
            <X size={18} />
          </IconButton>
        </header>
        {children}
      </div>
    </dialog>
  );
}
