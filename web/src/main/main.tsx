import "@fontsource-variable/inter/index.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/home.css";
import "./styles/workspace.css";
import "./styles/panels.css";
import "./styles/timeline.css";
import "./styles/phone.css";

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
