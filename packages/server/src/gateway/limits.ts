/** Every bound of the gateway, named. What a configuration can set is in `GatewaySettings` instead. */

export const gatewayLimits = {
  /** Nesting of a request body when no setting says it; deeper is refused before it can cost stack or time. */
  jsonDepthMax: 128,
  /** Output that a call is charged with beforehand when its caller sets no limit, and what one image counts for. */
  outputTokensExpected: 1_024,
  imageTokensExpected: 1_600,
  /** Nesting of a reply: it may hold the schemas of its request, and arguments as deep as they allow. */
  replyDepthMax: 160,
  /** An API key as it is presented. */
  keyLengthMax: 512,
  /** A model name as a caller sends it. */
  modelNameLengthMax: 256,
  /** What is read and thrown away so that a refused caller sees the refusal rather than a reset. */
  lingerBytesMax: 134_217_728,
  lingerMs: 10_000,
  /** After a refusal, a connection is kept only if the rest of the body is at most this long. */
  keptConnectionBodyBytesMax: 65_536,
  /** A caller that does not take the end of its reply within this time is cut off. */
  callerDrainMs: 60_000,
  /** Between the error event that ends a stream and the cut: clients that see the cut first lose the event. */
  cutDelayMs: 100,
  /** What a provider may still send after the announced end of a stream. */
  afterDoneMs: 1_000,
  /** Model calls that wait for a place in one worker. */
  queueLengthMax: 1_024,
  /** A plain reply up to this size is held until it is whole, so that a broken one becomes a clean error. */
  replyHoldBytesMax: 262_144,
  /** One event of a stream; a longer one is no chunk of a completion. */
  frameBytesMax: 4_194_304,
  /** A reply that is translated whole. */
  translatedReplyBytesMax: 33_554_432,
  /** The output limit that a translated request gets where the provider demands one and the caller gave none. */
  translatedMaxTokens: 4_096,
  /** What a translation lost, in a header. */
  lossHeaderLengthMax: 2_048,
  /** The body of an upstream's error, read to pass on its message. */
  errorBodyBytesMax: 65_536,
  /** A text that the scanner takes out of a reply, such as a finish reason. */
  captureBytesMax: 512,
  /** Choices whose finish reasons are kept. */
  finishReasonCountMax: 16,
  /** Prompts and answers in a span, when a tenant's capture asks for them. */
  capturedContentBytesMax: 16_000,
  /** How often deadlines are looked at; a deadline fires at most this much late. */
  deadlineTickMs: 20,
  /** Records of finished operations that wait for the control process, in one worker. */
  operationQueueMax: 20_000,
  /** Their texts together, in characters: those with captured content are long. */
  operationQueueLengthMax: 134_217_728,
  operationBatchMax: 256,
  operationBatchesInFlightMax: 4,
  operationFlushMs: 100,
  operationRetryMs: 1_000,
  /** So many waiting records, or such long ones, go to disk, and so many files of them there may be. */
  operationSpillCount: 10_000,
  operationSpillLength: 33_554_432,
  leftRecordFilesMax: 100,
  /** How often the control process looks for records that an earlier one's workers have left. */
  leftRecordsMs: 5_000,
  /** A sign of life from the control process, and the silence after which a worker takes it for lost. */
  controlSignMs: 1_000,
  controlSilenceMs: 5_000,
  /** Metrics of one worker are waited for this long. */
  metricsWaitMs: 2_000,
  /** A snapshot must be acknowledged within this time, else the worker is replaced. */
  snapshotWaitMs: 10_000,
  /** Time for a worker to listen. */
  startWaitMs: 30_000,
  /** Open streams may finish within this time after a drain began, then they are cut. */
  drainMs: 15_000,
  /** After a cut, connections have this long to carry its last words. */
  cutMs: 500,
  drainTickMs: 50,
  /** An owner that is being replaced is waited for this long, and looked for this often. */
  peerWaitMs: 5_000,
  peerRetryMs: 25,
  /** A worker that did not end by itself this long after the drain's deadline is killed. */
  exitWaitMs: 5_000,
  /** Deaths in a row without health between them after which the gateway gives up. */
  restartCountMax: 20,
  /** Back-off before a dead worker is started again: doubles from the first to the last. */
  restartDelayMsMin: 200,
  restartDelayMsMax: 10_000,
  /** A worker that lived this long is healthy: its back-off starts anew. */
  restartHealthyMs: 30_000,
} as const;
