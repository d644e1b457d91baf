import type { ButtonHTMLAttributes, ReactNode } from "react";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "primary" | "plain" | "quiet" | "danger";
  readonly icon?: ReactNode;
}

export function Button({ look = "plain", icon, children, className = "", ...rest }: ButtonProps) {
  return (
    <button type="button" className={`button button-${look} ${className}`} {...rest}>
      {icon}
      {children === undefined ? null : <span>{children}</span>}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does; the name for screen readers and, with its keys, the tooltip. */
  readonly label: string;
  readonly keys?: string;
  readonly isPressed?: boolean;
  readonly tip?: "top" | "right" | "bottom" | "left";
  readonly children: ReactNode;
}

export function IconButton({ label, keys, isPressed, tip = "bottom", children, className = "", ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={label}
      aria-pressed={isPressed}
      data-tip={keys === undefined ? label : `${label} · ${keys}`}
      data-tip-side={tip}
      {...rest}
    >
      {children}
    </button>
  );
}
