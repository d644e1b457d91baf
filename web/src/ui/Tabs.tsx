interface TabsProps<Id extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly id: Id; readonly label: string; readonly badge?: number }[];
  readonly current: Id;
  readonly onChoose: (id: Id) => void;
}

export function Tabs<Id extends string>({ label, tabs, current, onChoose }: TabsProps<Id>) {
  const move = (step: number): void => {
    const place = tabs.findIndex((tab) => tab.id === current);
    const next = tabs[(place + step + tabs.length) % tabs.length].id;
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`tab-${tab.id}`}
          aria-selected={tab.id === current}
          aria-controls="tab-panel"
          tabIndex={tab.id === current ? 0 : -1}
          onClick={() => { onChoose(tab.id); }}
          onKeyDown={(event) => {
            if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
            event.stopPropagation();
            move(event.key === "ArrowRight" ? 1 : -1);
          }}
        >
          {tab.label}
          {tab.badge === undefined || tab.badge === 0 ? null : <span className="badge">{tab.badge}</span>}
        </button>
      ))}
    </div>
  );
}
