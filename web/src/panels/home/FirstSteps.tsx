import { Download, MousePointerClick, Route } from "lucide-react";

const STEPS = [
  { icon: <MousePointerClick size={20} />, title: "Click", text: "One click cuts an object out. Right-click what does not belong to it." },
  { icon: <Route size={20} />, title: "Track", text: "It is followed through the whole video. Correct any frame with a click." },
  { icon: <Download size={20} />, title: "Take it along", text: "A video with effects, cut-outs, or labels in twenty formats." },
];

/** What happens here, for who has never been here. */
export function FirstSteps() {
  return (
    <ol className="home-steps">
      {STEPS.map(({ icon, title, text }) => (
        <li key={title}>
          <span aria-hidden="true">{icon}</span>
          <div>
            <b>{title}</b>
            <p>{text}</p>
          </div>
        </li>
      ))}
    </ol>
  );
}
