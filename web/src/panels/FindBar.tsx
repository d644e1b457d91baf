import { Search } from "lucide-react";
import { useEffect, useRef } from "react";
import { proposeByWords } from "../session/candidates";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";

/** Words in, candidates out; with classes, no words look for all of them. */
export function FindBar() {
  const session = useSession();
  const classes = useStudio((state) => state.project.classes);
  const { text, problem } = useStudio((state) => state.words);
  const setText = (next: string): void => { session.store.set({ words: { text: next, problem: "" } }); };
  const hasClasses = classes.length > 0;
  const [said, more] = inTwo(problem);
  const alert = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    // after the cards below it, of which the selected one comes into view too
    if (problem !== "") requestAnimationFrame(() => alert.current?.scrollIntoView({ block: "start" }));
  }, [problem]);
  return (
    <form
      className="find-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "" || hasClasses) void proposeByWords(session, text.trim());
      }}
    >
      <div className="find-field">
        <Search size={16} aria-hidden="true" />
        <input
          data-testid="words"
          aria-label="Find by words"
          list="class-names"
          placeholder={hasClasses ? "Words, or all classes" : "Find: person . dog"}
          value={text}
          maxLength={2000}
          spellCheck={false}
          onChange={(event) => { setText(event.target.value); }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
        <datalist id="class-names">
          {classes.map((one) => (
            <option key={one.id} value={one.name} />
          ))}
        </datalist>
      </div>
      <Button type="submit" disabled={text.trim() === "" && !hasClasses}>
        Find
      </Button>
      {problem === "" ? null : (
        <p className="find-problem" role="alert" ref={alert}>
          <b>{said}</b>
          {more === "" ? null : <small>{more}</small>}
        </p>
      )}
    </form>
  );
}

/** What is wrong, and what can be done: a sentence is read sooner when its first half stands alone. */
function inTwo(problem: string): [string, string] {
  const place = problem.indexOf("; ");
  if (place < 0) return [problem, ""];
  const rest = problem.slice(place + 2);
  return [`${problem.slice(0, place)}.`, rest.charAt(0).toUpperCase() + rest.slice(1)];
}
