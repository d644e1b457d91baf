import { Check } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";

const ITEMS = "[role^=menuitem]";

interface MenuItem {
  readonly label: string;
  readonly hint?: string;
  /** Makes it a switch that is on or off. */
  readonly isOn?: boolean;
  readonly perform: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly icon: ReactNode;
  readonly items: readonly MenuItem[];
  readonly className?: string;
  readonly isDisabled?: boolean;
}

/** A button with a short list of things to do. */
export function Menu({ label, icon, items, className = "", isDisabled = false }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    opener.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>(ITEMS)?.focus();
    const press = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", press);
    return () => { document.removeEventListener("pointerdown", press); };
  }, [isOpen]);
  const move = (step: number): void => {
    const listed = [...(root.current?.querySelectorAll<HTMLElement>(ITEMS) ?? [])];
    const place = listed.indexOf(document.activeElement as HTMLElement);
    listed[(place + step + listed.length) % listed.length].focus();
  };
  return (
    <div
      className="menu"
      ref={root}
      onBlur={({ relatedTarget }) => { if (relatedTarget !== null && !root.current?.contains(relatedTarget)) setOpen(false); }}
      onKeyDown={(event) => {
        if (!isOpen) return;
        if (event.key === "Escape") close();
        else if (event.key === "ArrowDown") move(1);
        else if (event.key === "ArrowUp") move(-1);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <button
        ref={opener}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        disabled={isDisabled}
        onClick={() => { setOpen(!isOpen); }}
      >
        {icon}
      </button>
      {isOpen ? (
        <div role="menu" className="menu-list" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role={item.isOn === undefined ? "menuitem" : "menuitemcheckbox"}
              aria-checked={item.isOn}
              onClick={() => {
                close();
                item.perform();
              }}
            >
              <span>
                {item.label}
                {item.isOn === true ? <Check size={15} aria-hidden="true" /> : null}
              </span>
              {item.hint === undefined ? null : <small>{item.hint}</small>}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}
