import { type Address, type ConfigReader, readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";
import { parseRateLimit, RATE_LIMIT_FORM, type RateLimit } from "./auth/rate-limiter.ts";

/** Everything that the gateway is told from outside. */
export interface GatewayConfig {
  readonly service: ServiceConfig;
  /** Where REST, SSE, Connect, gRPC-Web and the pages are served: `ORRERY_HTTP_ADDRESS`. */
  readonly http: Address;
  /** Where gRPC is served, with TLS and without client certificates: `ORRERY_EDGE_GRPC_ADDRESS`. */
  readonly edgeGrpc: Address;
  /** PEM bundle for TLS on the HTTP port: `ORRERY_HTTP_IDENTITY_FILE`; cleartext without it. */
  readonly httpIdentityFile: string | undefined;
  /**
   * The address that problem documents and contracts name: `ORRERY_PUBLIC_URL`; the HTTP address unless set.
   */
  readonly publicUrl: string;
  /** The folder of the built web page: `ORRERY_WEB_DIR`; without it there is none, and `/` leads to `/docs`. */
  readonly webFolder: string | undefined;
  /** The folder of the runbooks that alerts name: `ORRERY_RUNBOOKS_DIR`; without it there are no such pages. */
  readonly runbooksFolder: string | undefined;
  /** The hashed API keys: `ORRERY_KEYS_FILE`. */
  readonly keysFile: string;
  /** Requests of one key within a time at this gateway: `ORRERY_RATE_LIMIT`, 50000/1s unless set. */
  readonly rateLimit: RateLimit;
  /** The replicas of the jobs service: `ORRERY_PEER_JOBS`. */
  readonly jobs: readonly Address[];
  /** The replicas of the orchestrator: `ORRERY_PEER_ORCHESTRATOR`. */
  readonly orchestrator: readonly Address[];
  /** The replicas of the observatory: `ORRERY_PEER_OBSERVATORY`. */
  readonly observatory: readonly Address[];
  /** The replicas of the alerts service: `ORRERY_PEER_ALERTS`. */
  readonly alerts: readonly Address[];
}

/** @throws ConfigError naming every setting that is absent or wrong */
export function gatewayConfig(env?: NodeJS.ProcessEnv): Readonly<GatewayConfig> {
  return readConfig(readGateway, env);
}

function readGateway(read: ConfigReader): GatewayConfig {
  const http = read.address("ORRERY_HTTP_ADDRESS");
  const httpIdentityFile = read.optionalText("ORRERY_HTTP_IDENTITY_FILE");
  const scheme = httpIdentityFile === undefined ? "http" : "https";
  const ownUrl = `${scheme}://${http.host.includes(":") ? `[${http.host}]` : http.host}:${http.port}`;
  const rateLimit = read.text("ORRERY_RATE_LIMIT", { default: "50000/1s", pattern: RATE_LIMIT_FORM });
  return {
    service: serviceConfig(read),
    http,
    edgeGrpc: read.address("ORRERY_EDGE_GRPC_ADDRESS"),
    httpIdentityFile,
    publicUrl: (read.optionalText("ORRERY_PUBLIC_URL") ?? ownUrl).replace(/\/+$/, ""),
    webFolder: read.optionalText("ORRERY_WEB_DIR"),
    runbooksFolder: read.optionalText("ORRERY_RUNBOOKS_DIR"),
    keysFile: read.file("ORRERY_KEYS_FILE"),
    // One that does not fit the pattern was noted by the reader, which throws after all settings are read.
    rateLimit: RATE_LIMIT_FORM.test(rateLimit) ? parseRateLimit(rateLimit) : { requests: 1, windowMs: 1_000 },
    jobs: read.addresses("ORRERY_PEER_JOBS"),
    orchestrator: read.addresses("ORRERY_PEER_ORCHESTRATOR"),
    observatory: read.addresses("ORRERY_PEER_OBSERVATORY"),
    alerts: read.addresses("ORRERY_PEER_ALERTS"),
  };
}
