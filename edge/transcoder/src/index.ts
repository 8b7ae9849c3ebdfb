export { TranscoderConfigError } from "./config-error.ts";
export { encodeRequest } from "./encode-request.ts";
export { exactJson } from "./json-message.ts";
export { DEFAULT_LIMITS, type TranscoderLimits } from "./limits.ts";
export { wantsRpcStatus } from "./render-error.ts";
export type {
  Call,
  CallContext,
  SuccessHead,
  Transcoder,
  TranscoderOptions,
  TranscoderRequest,
  TranscoderResponse,
  TranscoderRoute,
  UnaryCall,
} from "./seam.ts";
export { createTranscoder } from "./transcoder.ts";
