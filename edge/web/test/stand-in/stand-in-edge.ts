import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Envelope, Job } from "../../src/api/contract.ts";
import {
  detailedJob,
  sampleAttempts,
  sampleEvent,
  sampleHistory,
  sampleId,
  sampleJob,
} from "./sample-jobs.ts";
import { sampleMission } from "./sample-missions.ts";
import {
  FRESH,
  SAMPLE_ALERTS,
  SAMPLE_METRICS,
  SAMPLE_OVERVIEW,
  SAMPLE_QUEUES,
  SAMPLE_RUNBOOK,
  SAMPLE_SPANS,
  sampleWorkers,
} from "./sample-platform.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const JOBS = 180;
const MISSIONS = 18;
const PAGE = 50;
/** What every mission waits for. */
const waitingStep: Job = { ...sampleJob(5), step: "charge" };

/** The key that the stand-in takes. */
export const SAMPLE_KEY = "orr_sample";

/**
 * An edge with a platform of samples behind it: every state that a page can show, at the same time, without a platform.
 * What it answers has the types of the contract; what a real platform answers is looked at in stories/.
 */
export interface StandInEdge extends AsyncDisposable {
  readonly url: string;
  /** Every request that came, as `GET /v1/jobs?q=`. */
  readonly asked: readonly string[];
  /** Sends an event down every open stream. */
  send(event: Envelope): void;
  /** Puts a job on top of every list, and says so in an event. */
  submit(job: Partial<Job>): Job;
  /** Puts a job in the place of its earlier version, and says so in an event. */
  change(job: Job): void;
  /** Goes away with all its connections, as a platform that is stopped. */
  leave(): Promise<void>;
  /** Listens again where it did. */
  comeBack(): Promise<void>;
  /** What every list and page answers from now on; undefined for the samples. */
  answerWith(instead: "nothing" | "trouble" | undefined): void;
}

/** @param folder - the built page */
export async function startStandInEdge(folder: string): Promise<StandInEdge> {
  const asked: string[] = [];
  const streams = new Set<ServerResponse>();
  const added: Job[] = [];
  let instead: "nothing" | "trouble" | undefined;
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://edge");
    asked.push(`${request.method} ${request.url}`);
    if (!url.pathname.startsWith("/v1/")) return sendFile(folder, url.pathname, response);
    if (request.headers.authorization !== `Bearer ${SAMPLE_KEY}`)
      return refuse(response, 401, "UNAUTHENTICATED");
    if (url.pathname === "/v1/events:watch") return stream(request, response, streams);
    if (instead === "trouble") return refuse(response, 503, "STORE_UNAVAILABLE");
    const body = answer(url, added, instead === "nothing");
    if (body === undefined) return refuse(response, 404, "NOT_FOUND");
    if ("refused" in body) return refuse(response, 400, "INVALID_QUERY", String(body.refused));
    return void response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  const listen = (port: number) =>
    new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  const leave = async () => {
    const closed = new Promise<void>((over) => server.close(() => over()));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const send = (event: Envelope) => {
    const name = event.eventType.split(".").at(-1);
    for (const one of streams)
      one.write(`id: ${event.eventId}\nevent: ${name}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    send,
    submit(about) {
      const n = 60_000 + added.length;
      const job: Job = {
        ...sampleJob(3),
        id: sampleId(n),
        createTime: new Date().toISOString(),
        version: 1,
        ...about,
      };
      added.unshift(job);
      send(sampleEvent("JobQueued", { job }, { id: job.id, version: 1 }));
      return job;
    },
    change(job) {
      const at = added.findIndex(({ id }) => id === job.id);
      if (at >= 0) added[at] = job;
      send(sampleEvent("JobSucceeded", { job }, { id: job.id, version: job.version }));
    },
    answerWith(what) {
      instead = what;
    },
    leave,
    comeBack: () => listen(port),
    [Symbol.asyncDispose]: leave,
  };
}

function answer(url: URL, added: readonly Job[], nothing: boolean): object | undefined {
  const { pathname, searchParams } = url;
  const [, id = "", part = ""] =
    /^\/v1\/observatory\/(?:jobs|missions)\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  if (pathname.startsWith("/v1/observatory/jobs/")) return aboutJob(id, part, added);
  if (pathname.startsWith("/v1/observatory/missions/")) return aboutMission(id, part);
  const jobs = nothing ? [] : [...added, ...Array.from({ length: JOBS }, (_, n) => sampleJob(n))];
  switch (pathname) {
    case "/v1/overview":
      return nothing
        ? {
            ...SAMPLE_OVERVIEW,
            health: "Healthy: nothing has run yet.",
            jobs: {},
            totalJobs: 0,
            queues: [],
            failures: [],
            alerts: [],
            recentJobs: [],
            workers: 1,
            missions: {},
            attentionMissions: [],
          }
        : { ...SAMPLE_OVERVIEW, recentJobs: jobs.slice(0, 12) };
    case "/v1/metrics":
      return SAMPLE_METRICS;
    case "/v1/jobs":
      if (searchParams.get("q")?.startsWith("mission:")) return page("jobs", [waitingStep], searchParams);
      return page("jobs", jobs, searchParams);
    case "/v1/observatory/missions":
      return page(
        "missions",
        nothing ? [] : Array.from({ length: MISSIONS }, (_, n) => sampleMission(n)),
        searchParams,
      );
    case "/v1/observatory/queues":
      return { queues: nothing ? [] : SAMPLE_QUEUES };
    case "/v1/observatory/workers":
      return { workers: nothing ? [] : sampleWorkers() };
    case "/v1/alerts":
      return { alerts: nothing ? [] : SAMPLE_ALERTS, ...FRESH };
    default:
      return undefined;
  }
}

function page(name: string, all: readonly { readonly status: string }[], asked: URLSearchParams): object {
  const q = asked.get("q") ?? "";
  if (q.includes("stauts"))
    return {
      refused: `there is no field "stauts"; did you mean status? (column 1)\n${q}\n^^^^^^`,
    };
  const wanted = /status:([\w,]+)/.exec(q)?.[1]?.toUpperCase().split(",");
  const fit = all.filter(({ status }) => wanted === undefined || wanted.includes(status));
  const from = Number(asked.get("pageToken") || 0);
  const rows = q.includes("nothing") ? [] : fit.slice(from, from + PAGE);
  const nextPageToken = from + PAGE < fit.length && rows.length > 0 ? String(from + PAGE) : "";
  return {
    [name]: rows,
    nextPageToken,
    totalSize: rows.length === 0 ? 0 : fit.length,
    totalExact: true,
    ...FRESH,
  };
}

function aboutJob(id: string, part: string, added: readonly Job[]): object | undefined {
  const n = Number.parseInt(id.slice(-12), 16);
  const job = added.find((one) => one.id === id) ?? { ...sampleJob(n), id };
  switch (part) {
    case "":
      return id === sampleId(n) || id.includes("-7b00-") ? detailedJob(job) : undefined;
    case "attempts":
      return { attempts: sampleAttempts(job), ...FRESH };
    case "history":
      return { events: sampleHistory(job), nextPageToken: "", ...FRESH };
    case "trace":
      return { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spans: SAMPLE_SPANS, complete: true };
    default:
      return undefined;
  }
}

function aboutMission(id: string, part: string): object | undefined {
  const mission = sampleMission(Number.parseInt(id.slice(-12), 16));
  const names = ["MissionCreated", "MissionStarted", "MissionStepStarted", "MissionStepSucceeded"];
  switch (part) {
    case "":
      return mission;
    case "history":
      return {
        events: names.map((name, index) =>
          sampleEvent(
            name,
            { mission, step: name.includes("Step") ? "validate" : "" },
            { id, version: index + 1 },
          ),
        ),
        nextPageToken: "",
        ...FRESH,
      };
    case "trace":
      return { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spans: SAMPLE_SPANS, complete: false };
    default:
      return undefined;
  }
}

function stream(request: IncomingMessage, response: ServerResponse, streams: Set<ServerResponse>): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": here\n\n");
  streams.add(response);
  request.on("close", () => streams.delete(response));
}

function refuse(
  response: ServerResponse,
  status: number,
  reason: string,
  detail = "The stand-in says so.",
): void {
  const title = reason === "INVALID_QUERY" ? "The query cannot be read" : `The platform answers ${status}`;
  const problem = { title, status, detail, reason, traceId: "4bf92f3577b34da6a3ce929d0e0e4736" };
  response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
}

function sendFile(folder: string, path: string, response: ServerResponse): void {
  if (path.startsWith("/runbooks/")) {
    response.setHeader("content-type", "text/markdown; charset=utf-8").end(SAMPLE_RUNBOOK);
    return;
  }
  const name = path.startsWith("/assets/") ? path : "/index.html";
  response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
  response.end(readFileSync(join(folder, name)));
}
