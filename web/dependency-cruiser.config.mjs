// A layer imports only layers above it in this list; names that share a line do not import each other.
const layers = [
  ["wire", "geometry", "ui", "effects"],
  ["masks"],
  ["model"],
  ["api", "video"],
  ["session"],
  ["canvas", "timeline"],
  ["panels"],
  ["main"],
];

const upward = layers.map((names, place) => {
  const others = layers.slice(place + 1).flat();
  return {
    name: `${names.join("-")}-imports-downward`,
    severity: "error",
    from: { path: `^src/(${names.join("|")})/` },
    to: { path: `^src/(${others.join("|") || "nothing"})/` },
  };
});

const siblings = layers
  .filter((names) => names.length > 1)
  .flatMap((names) =>
    names.map((name) => ({
      name: `${name}-knows-no-sibling`,
      severity: "error",
      from: { path: `^src/${name}/` },
      to: { path: `^src/(${names.filter((other) => other !== name).join("|")})/` },
    })),
  );

export default {
  forbidden: [
    ...upward,
    ...siblings,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans", severity: "error", from: { orphan: true, pathNot: "\\.d\\.ts$" }, to: {} },
    {
      name: "react-stays-in-components",
      comment: "What can be tested without a browser does not know React.",
      severity: "error",
      from: { path: "^src/(wire|geometry|masks|model|api|video|effects)/" },
      to: { path: "node_modules/(react|react-dom|lucide-react)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".d.ts", ".js"] },
  },
};
