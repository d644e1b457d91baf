/** Requests to the studio, typed by what the server says of itself. */
import type { Project } from "../model/document";
import type { components, paths } from "../wire/schema";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;

type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;
type PathOf<O> = O extends { parameters: { path: infer Q } } ? Q : undefined;
type AnswerOf<O> = O extends { responses: infer R }
  ? { [C in keyof R]: C extends 200 | 201 | 202 ? (R[C] extends { content: { "application/json": infer B } } ? B : never) : never }[keyof R]
  : never;

interface Call<O> {
  readonly path?: PathOf<O>;
  readonly query?: QueryOf<O>;
  readonly body?: BodyOf<O>;
  readonly signal?: AbortSignal;
}

/** What the server refused, in its words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly state: Project | null = null,
  ) {
    super(message);
  }
}

/** The studio did not answer at all. */
export class NoAnswerError extends Error {
  constructor() {
    super("The studio does not answer. Is `masklet studio` still running? The page tries again by itself.");
  }
}

export async function call<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  call: Call<Operation<P, M>> = {},
): Promise<AnswerOf<Operation<P, M>>> {
  const response = await send(address(path, call.path, call.query), {
    method: method.toUpperCase(),
    signal: call.signal ?? null,
    ...(call.body === undefined
      ? {}
      : { body: JSON.stringify(call.body), headers: { "Content-Type": "application/json" } }),
  });
  if (response.status === 204) return undefined as AnswerOf<Operation<P, M>>;
  return (await response.json()) as AnswerOf<Operation<P, M>>;
}

/** A request of any kind; what is not a success becomes an ApiError. */
export async function send(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NoAnswerError();
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export function address(path: string, parts: unknown, query?: unknown): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((parts as Record<string, unknown>)[name])),
  );
  const given = Object.entries((query ?? {}) as Record<string, unknown>).filter(([, value]) => value != null);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as components["schemas"]["ErrorBody"];
    return new ApiError(response.status, body.code, body.message, body.state ?? null);
  } catch {
    return new ApiError(response.status, "unknown", `The studio answered with ${String(response.status)}.`);
  }
}

/** What went wrong, for a person. */
export function describeError(error: unknown): string {
  if (error instanceof ApiError || error instanceof NoAnswerError) return error.message;
  return error instanceof Error ? error.message : "Something went wrong; load the page again.";
}
