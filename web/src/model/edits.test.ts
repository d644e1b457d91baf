import { expect, test, vi } from "vitest";
import { imagePoint } from "../geometry/points";
import type { Media, Project } from "./document";
import { EditQueue, StaleError, type Change } from "./editQueue";
import { applyEdit, nameOf, promptsAfter, stillApplies, type Edit } from "./edits";

const media: Media = {
  id: "00000000000000aa",
  name: "clip.mp4",
  sha256: "",
  num_bytes: 1,
  kind: "video",
  width: 64,
  height: 48,
  num_frames: 10,
  fps: 10,
  duration_s: 1,
  is_variable_frame_rate: false,
  codec: null,
  container: null,
  rotation: 0,
  damage: null,
  created_s: 0,
  objects: [],
};
const empty: Project = {
  id: "00000000000000bb",
  name: "p",
  revision: 3,
  created_s: 0,
  changed_s: 0,
  num_undo: 0,
  num_redo: 1,
  classes: [],
  media: [media],
};
const click = (x: number, frame = 0, isPositive = true): Edit => ({
  kind: "add-click",
  mediaId: media.id,
  objectId: 1,
  frame,
  point: imagePoint(x, 5),
  isPositive,
});

test("the first click makes the object; clicks add up, move and go", () => {
  const once = applyEdit(empty, click(4));
  expect(once.media[0].objects[0]).toMatchObject({ id: 1, name: "Object 1", prompts: [{ frame: 0, clicks: [[4, 5, true]] }] });
  const twice = applyEdit(once, click(9, 0, false));
  const place = { mediaId: media.id, objectId: 1, frame: 0 };
  const moved = applyEdit(twice, { kind: "move-click", ...place, from: imagePoint(9, 5), to: imagePoint(8, 7) });
  expect(moved.media[0].objects[0].prompts[0].clicks).toEqual([[4, 5, true], [8, 7, false]]);
  const one = applyEdit(moved, { kind: "remove-click", ...place, point: imagePoint(4, 5) });
  expect(promptsAfter(one, { kind: "remove-click", ...place, point: imagePoint(8, 7) })?.clicks).toEqual([]);
  expect(applyEdit(one, { kind: "clear-frame", ...place }).media[0].objects[0].prompts).toEqual([]);
  expect(empty.media[0].objects).toEqual([]);
});

test("classes that go leave their objects without one", () => {
  const cup = { id: 2, name: "cup", color: "#112233", shortcut: "1", words: "" };
  let project = applyEdit(applyEdit(empty, click(1)), { kind: "set-classes", classes: [cup] });
  project = applyEdit(project, { kind: "change-object", mediaId: media.id, objectId: 1, changes: { class_id: 2 } });
  expect(project.media[0].objects[0].class_id).toBe(2);
  expect(applyEdit(project, { kind: "set-classes", classes: [] }).media[0].objects[0].class_id).toBeNull();
});

test("an edit that lost its object does not apply any more", () => {
  const one = applyEdit(empty, click(1));
  const hide: Edit = { kind: "change-object", mediaId: media.id, objectId: 1, changes: { is_visible: false } };
  expect(stillApplies(one, hide)).toBe(true);
  expect(stillApplies(empty, hide)).toBe(false);
  expect(stillApplies(applyEdit(one, { ...hide, changes: { is_locked: true } }), click(2))).toBe(false);
  expect(nameOf(hide)).toBe("hide");
});

const taken = (...labels: string[]): Edit => ({
  kind: "take-objects",
  mediaId: media.id,
  frame: 3,
  taken: labels.map((label) => ({ size: [48, 64], counts: "12", label })),
  firstId: 1,
});

test("objects that are taken together get ids, names and classes by what is there", () => {
  const once = applyEdit(applyEdit(empty, click(1)), taken("cup", "", "cup"));
  expect(once.classes.map((one) => one.name)).toEqual(["cup"]);
  const [cup] = once.classes;
  expect(once.media[0].objects.map((one) => [one.id, one.name, one.class_id])).toEqual([
    [1, "Object 1", null],
    [2, "cup 1", cup.id],
    [3, "Object 3", null],
    [4, "cup 2", cup.id],
  ]);
  expect(once.media[0].objects[1].prompts).toEqual([{ frame: 3, clicks: [], box: null, mask: { size: [48, 64], counts: "12" } }]);
  const twice = applyEdit(once, taken("Cup"));
  expect(twice.classes).toEqual(once.classes);
  expect(twice.media[0].objects.at(-1)?.name).toBe("cup 3");
  expect(nameOf(taken("", ""))).toBe("take 2 objects");
});

test("objects that are taken together are one step, and stand beside those of a quicker page", async () => {
  const theirs = { ...applyEdit(empty, click(40)), revision: 7 };
  const { queue, seen } = queueWith(({ revision }) =>
    revision < 7 ? Promise.reject(new StaleError(theirs)) : Promise.resolve({ revision: 8 }),
  );
  queue.add(taken("", "", ""));
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.sent).toHaveLength(2);
  expect(seen.project.num_undo).toBe(1);
  expect(seen.project.media[0].objects.map((one) => one.id)).toEqual([1, 2, 3, 4]);
  expect(seen.project.media[0].objects[0].prompts[0].clicks).toHaveLength(1);
});

interface Sent {
  readonly revision: number;
  readonly change: Change;
  readonly editId: string;
}

function queueWith(answer: (sent: Sent) => Promise<{ revision: number }>) {
  const seen = { project: empty, refused: [] as unknown[], sent: [] as Sent[], moved: [] as unknown[] };
  const queue = new EditQueue(empty, {
    send: (project, change, editId) => {
      const sent = { revision: project.revision, change, editId };
      seen.sent.push(sent);
      return answer(sent);
    },
    onProject: (project) => { seen.project = project; },
    onDone: () => undefined,
    onRefused: (_change, error) => { seen.refused.push(error); },
    onMoved: (moved) => { seen.moved.push(moved); },
  });
  return { queue, seen };
}

test("edits are shown at once and sent one after the other", async () => {
  const { queue, seen } = queueWith(({ revision }) => Promise.resolve({ revision: revision + 1 }));
  queue.add(click(1));
  queue.add(click(2));
  expect(seen.project.media[0].objects[0].prompts[0].clicks).toHaveLength(2);
  expect(seen.sent).toHaveLength(1);
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.sent.map((one) => one.revision)).toEqual([3, 4]);
  expect(seen.project).toMatchObject({ revision: 5, num_undo: 2, num_redo: 0 });
});

test("a refused edit is taken back", async () => {
  const { queue, seen } = queueWith(() => Promise.reject(new Error("no")));
  queue.add(click(1));
  await vi.waitFor(() => { expect(seen.refused).toHaveLength(1); });
  expect(seen.project.media[0].objects).toEqual([]);
});

test("an edit on an old revision is done again on the new one, and nobody's click is lost", async () => {
  const theirs = { ...applyEdit(empty, click(40)), revision: 7 };
  const { queue, seen } = queueWith(({ revision }) =>
    revision < 7 ? Promise.reject(new StaleError(theirs)) : Promise.resolve({ revision: 8 }),
  );
  queue.add(click(1));
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.sent.map((one) => one.revision)).toEqual([3, 7]);
  expect(new Set(seen.sent.map((one) => one.editId)).size).toBe(1);
  expect(seen.project.media[0].objects[0].prompts[0].clicks).toEqual([[40, 5, true], [1, 5, true]]);
});

test("a new object stands beside the one that a quicker page made under its id, and what follows is about it", async () => {
  const theirs = { ...applyEdit(empty, click(40)), revision: 7 };
  const { queue, seen } = queueWith(({ revision }) =>
    revision < 7 ? Promise.reject(new StaleError(theirs)) : Promise.resolve({ revision: revision + 1 }),
  );
  queue.add({ ...click(1), isNew: true } as Edit);
  queue.add(click(2));
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.moved).toEqual([{ mediaId: media.id, from: 1, to: 2 }]);
  expect(seen.project.media[0].objects.map((one) => one.prompts[0].clicks.map(([x]) => x))).toEqual([[40], [1, 2]]);
});

const named = (id: number, name: string, shortcut = ""): Project["classes"][number] => ({ id, name, color: "#112233", shortcut, words: "" });

test("classes that two pages change at a time are added up", async () => {
  const before = { ...empty, classes: [named(1, "cup", "1"), named(2, "ball"), named(3, "dog")] };
  const theirs = { ...empty, revision: 7, classes: [named(1, "mug", "1"), named(3, "dog"), named(4, "cat", "2"), named(5, "cow")] };
  const { queue, seen } = queueWith(({ revision }) =>
    revision < 7 ? Promise.reject(new StaleError(theirs)) : Promise.resolve({ revision: revision + 1 }),
  );
  queue.replace(before);
  // this page renamed the dog, and added a cow and a bird; the other renamed the cup, removed the ball, added a cat and a cow
  queue.add({ kind: "set-classes", classes: [named(1, "cup", "1"), named(2, "ball"), named(3, "hound"), named(4, "cow"), named(5, "bird", "2")] });
  queue.add({ kind: "change-object", mediaId: media.id, objectId: 1, changes: { class_id: 5 } });
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.project.classes.map((one) => [one.id, one.name, one.shortcut])).toEqual([
    [1, "mug", "1"],
    [3, "hound", ""],
    [6, "bird", "2"],
    [4, "cat", ""],
    [5, "cow", ""],
  ]);
  expect(seen.sent.at(-1)?.change).toMatchObject({ changes: { class_id: 6 } });
});

test("undo and redo count, and an older project is not taken over", async () => {
  const { queue, seen } = queueWith(({ revision }) => Promise.resolve({ revision: revision + 1 }));
  queue.add({ kind: "redo" });
  await vi.waitFor(() => { expect(queue.numPending).toBe(0); });
  expect(seen.project).toMatchObject({ num_undo: 1, num_redo: 0, revision: 4 });
  queue.replace({ ...empty, name: "old" });
  expect(queue.project.name).toBe("p");
});
