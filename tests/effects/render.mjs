// Renders scenes with the page's own effects: node render.mjs EFFECTS.mjs FOLDER
// FOLDER holds job.json, and for each scene NAME.rgba and NAME.ID.mask; NAME.out gets all cases one after the other.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [effectsFile, folder] = process.argv.slice(2);
const { composeFrame } = await import(pathToFileURL(effectsFile).href);
const job = JSON.parse(readFileSync(`${folder}/job.json`, "utf8"));
const milliseconds = {};

for (const { name, width, height, index, ids } of job.scenes) {
  const data = new Uint8ClampedArray(readFileSync(`${folder}/${name}.rgba`));
  const masks = new Map(ids.map((id) => [id, new Uint8Array(readFileSync(`${folder}/${name}.${id}.mask`))]));
  const before = data.slice();
  const results = [];
  milliseconds[name] = {};
  for (const [title, settings] of Object.entries(job.cases)) {
    const times = [];
    for (let round = 0; round < job.rounds; round++) {
      const started = process.cpuUsage();
      const picture = composeFrame({ width, height, data }, masks, settings, index);
      times.push(process.cpuUsage(started).user / 1000);
      if (round === 0) results.push(Buffer.from(picture.data));
    }
    milliseconds[name][title] = Math.min(...times); // the fastest round, because others share the machine
  }
  if (Buffer.compare(Buffer.from(data), Buffer.from(before)) !== 0) throw new Error("The frame was changed.");
  writeFileSync(`${folder}/${name}.out`, Buffer.concat(results));
}
writeFileSync(`${folder}/milliseconds.json`, JSON.stringify(milliseconds));
