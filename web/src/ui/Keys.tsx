/** A combination of keys, each in a box of its own. */
export function Keys({ parts }: { readonly parts: readonly string[] }) {
  return (
    <span className="keys">
      {parts.map((part) => (
        <kbd key={part}>{part}</kbd>
      ))}
    </span>
  );
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
