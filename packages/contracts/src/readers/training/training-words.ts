/** Whether columns or fields are those of a training run: other trades count steps and losses as well. */

/** What a column of losses, of the size of gradients or of perplexity is called. */
const measuredName = /loss|grad(?:ient)?_?norm|perplexity/;
/** Losses of other trades. */
const otherLoss =
  /packet|frame|signal|path|heat|weight_?loss|stop|profit|gain|capital|data_?loss|insertion|return_?loss|insur|claim|water|blood|hearing|power|energy|tax|trade|credit|given_default|loss_?(?:ratio|amount|adjust|date|cause|reason|type|cost|given|usd|eur|pct)/;
/** Names that only training has: rates of learning, scores of a split, sums over a step or an epoch. */
const trainingName =
  /^(?:lr(?:[-_ ].*)?|learning_?rates?|.*grad(?:ient)?_?norm.*|(?:train|training|val|valid|validation|eval|dev)_?(?:.*_)?(?:loss|acc|accuracy|perplexity|error|f1|auc|bleu|reward|mae|mse|rmse)(?:_?(?:step|epoch))?|(?:.*_)?loss_?(?:step|epoch)|acc|accuracy|categorical_accuracy|sparse_categorical_accuracy|perplexity|ppl|loss_?scale|(?:tokens|samples|steps)_per_sec(?:ond)?|optimizer|trainer.*|global_?step|train_?step)$/;
/** Scores and parts of losses by the names that they have in training alone. */
const ownName =
  /^(?:kl(?:_.*)?|entropy|rewards?(?:_.*)?|bleu|rouge\w*|m?iou|map_?\d*|ndcg\w*|auroc|dice|psnr|ssim|fid|(?:ce|kl|lm|mlm|nll|bce|mse|l1|l2|cls|reg|box|bbox|obj|dfl|mask|rpn|aux|recon|policy|value|actor|critic|g|d|gen|disc|adv|triplet|contrastive|distill|kd)_loss|loss_?(?:ce|kl|lm|mlm|cls|reg|box|bbox|obj|mask|rpn|aux|recon|g|d))$/;
/** Names that say nothing of a trade. */
const neutralName =
  /^(?:step|steps|iteration|iterations|iter|iters|epoch|epochs|batch|phase|stage|split|mode|training|run|run_?id|run_?name|seed|rank|world_?size|wall_?time|time|timestamp|date|runtime|elapsed|duration|seconds|total_?time|shard|hash|index|id|name|tag|value|mem|memory|gpu_mem|vram|tokens|tokens_seen|dt|mfu|throughput|tok_s|it_s|reward|returns?)?$/;
/** Words of trades that count losses of their own. */
const otherTrade =
  /price|profit|(?:^|_)gain|pnl|balance|trade|ticker|symbol|currency|amount|premium|claim|policy_?(?:id|no|num)|insur|customer|account|invoice|packet|rtt|latency|bandwidth|snr|attenuat|freq|temperature|pressure|(?<!over|under)flow|patient|machine(?!s$|_rank)|station|order|product|sku|player|team|match(?!ing)|odds|bet$/;

/** Whether a name is that of a loss, or of what stands for one. */
export function isMeasuredName(name: string): boolean {
  return measuredName.test(name) && !otherLoss.test(name);
}

/** Whether a name is of a trade that counts losses of its own; a part of a loss of training may be called anything. */
export function isOfOtherTrade(name: string): boolean {
  return otherLoss.test(name) || (otherTrade.test(name) && !measuredName.test(name));
}

/**
 * Whether names, in small letters, are those of a training run: one of them is a loss, and either another is one that only
 * training has, or none is of another trade. Names may have a folder before them: `train/loss`.
 */
export function areOfTraining(names: readonly string[]): boolean {
  const bare = names.map((name) => name.replace(/^.*\//, "").trim().replace(/^_/, ""));
  if (!bare.some(isMeasuredName)) return false;
  if (names.some((name) => /^(?:train|training|trainer|val|valid|eval|losses)\//.test(name))) {
    return true;
  }
  if (bare.some((name) => trainingName.test(name) || ownName.test(name))) return true;
  return bare.every((name) => neutralName.test(name) || isMeasuredName(name));
}
