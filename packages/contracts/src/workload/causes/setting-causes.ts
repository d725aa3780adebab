/** Causes that lie in settings: variables, files, flags, ports, permissions. */

import { nearestName } from "../../text/nearest-name.ts";
import type { Cause, CauseRule } from "./cause.ts";

function missingVariable(name: string | undefined): Cause | undefined {
  if (name === undefined || notVariables.has(name.toUpperCase())) return undefined;
  return {
    causeKind: "configuration",
    because: `the environment variable ${name} is not set`,
    fix: `Set ${name} in the container's env (or in a ConfigMap or Secret that it reads with envFrom).`,
    nextCheck: `kubectl set env --list shows whether ${name} is among the variables of the workload`,
  };
}

/** Words of log levels and sentences that look like the name of a variable. */
const notVariables: ReadonlySet<string> = new Set(
  "ERROR WARN WARNING INFO DEBUG FATAL TRACE CRITICAL VARIABLE VARIABLES IS THE A AN NOT NAME VALUE THAT WHICH EOF TLS SSL HTTP HTTPS JSON YAML URL FILE CONFIG".split(
    " ",
  ),
);

const variable = "[`'\"$({]{0,3}([A-Za-z_][A-Za-z0-9_]{1,100})[`'\")}]{0,3}";
const unset =
  "(?:undefined|not set|unset|missing|required|empty|not defined|not specified|not provided|not found|not present|must be set|must be specified|must be defined|must be provided|must not be empty|cannot be empty)";

const environment: readonly CauseRule[] = [
  {
    weight: 3,
    pattern: new RegExp(
      `\\b(?:environment variable|env(?:ironment)? var(?:iable)?|env)s?:? ${variable}:?,? (?:\\w+ ){0,3}${unset}`,
      "i",
    ),
    cause: (match) => missingVariable(match[1]),
  },
  {
    weight: 3,
    pattern: new RegExp(
      `\\b(?:missing|undefined|required|unset|no|need|needs|set|expected|provide)(?: the| an?| required| mandatory| following)*(?: environment variable| env(?:ironment)? var(?:iable)?| environment| variable)s?(?: is| are| not set| missing| named| called)*[: ]+${variable}`,
      "i",
    ),
    cause: (match) => missingVariable(match[1]),
  },
  {
    weight: 3,
    pattern: new RegExp(
      `\\b([A-Z][A-Z0-9]*_[A-Z0-9_]{1,100})[\`'")}]{0,3}:? (?:environment variable |env var |variable )?(?:is |was |are |has |have |must |should |been |a |an )*${unset}`,
    ),
    cause: (match) => missingVariable(match[1]),
  },
  {
    weight: 3,
    pattern: /\b(?:KeyError|key not found|fetch'?): ?:?['"]?([A-Z][A-Z0-9_]{2,100})\b/,
    cause: (match) => missingVariable(match[1]),
  },
  {
    weight: 3,
    pattern: /\b([A-Za-z_]\w{1,100}): (?:unbound variable|parameter (?:null or )?not set)/,
    cause: (match) => missingVariable(match[1]),
  },
  {
    weight: 3,
    pattern: /Database is uninitialized and (superuser )?password (?:is|option is) not specified/i,
    cause: (match) =>
      missingVariable(match[1] === undefined ? "MYSQL_ROOT_PASSWORD" : "POSTGRES_PASSWORD"),
  },
];

/** Commands that people mistype. */
const commands: readonly string[] =
  "bash cat celery curl dotnet echo env flask gunicorn java ls mkdir mysql nginx node npm npx perl php pip postgres psql python python3 redis-server ruby sed sh sleep tail tar uvicorn wget yarn".split(
    " ",
  );

function meantCommand(name: string): string | undefined {
  if (commands.includes(name)) return undefined;
  const near = nearestName(name, commands);
  return near !== undefined && Math.abs(near.length - name.length) <= 1 ? near : undefined;
}

const files: readonly CauseRule[] = [
  {
    weight: 3,
    pattern:
      /(?:\bsh|bash|ash|dash|zsh|line \d{1,6}|\d{1,6}): (?:eval: )?(?:line \d{1,6}: )?([Ss]yntax error:? ?[^\n]{0,200}|unexpected (?:EOF|end of file)[^\n]{0,100})/,
    cause: (match) => ({
      causeKind: "configuration",
      because: `its shell script has a ${match[1]?.trim() ?? "syntax error"}`,
      fix: "Correct the script in the container's command or args.",
    }),
  },
  {
    weight: 3,
    pattern: /exec:? "?([^"\s]{1,200})"?: executable file not found in \$?PATH/i,
    cause: (match) => {
      const meant = meantCommand(match[1] ?? "");
      return {
        causeKind: "configuration",
        because: `its command ${match[1] ?? ""} does not exist in the image (executable file not found in $PATH)${meant === undefined ? "" : `; ${meant} may be meant`}`,
        fix: `Correct command and args: the image has no executable ${match[1] ?? ""}${meant === undefined ? "" : ` (${meant}?)`}; or use an image that has it.`,
      };
    },
  },
  {
    weight: 3,
    pattern: /exec format error/i,
    cause: () => ({
      causeKind: "configuration",
      because:
        "the executable is built for another processor architecture, or its script lacks a #! line (exec format error)",
      fix: "Use an image built for the architecture of the node (kubernetes.io/arch), or give the script an interpreter line.",
      nextCheck: "docker manifest inspect IMAGE lists the platforms of the image",
    }),
  },
  {
    weight: 3,
    pattern:
      /\b(?:Cannot find module|No module named|ModuleNotFoundError: [^']{0,60}|ClassNotFoundException:|NoClassDefFoundError:|Could not find or load main class|cannot load such file --|Unable to access jarfile|can't open file|Could not open input file:) ['"]?([^'"\s]{1,200})/,
    cause: (match) => ({
      causeKind: "configuration",
      because: `the file, module or class ${match[1] ?? ""} that it starts with is not in the image`,
      fix: `Add ${match[1] ?? ""} to the image, or correct the command that names it.`,
    }),
  },
  {
    weight: 3,
    pattern: /error while loading shared libraries: ([^:\s]{1,200}):/,
    cause: (match) => ({
      causeKind: "configuration",
      because: `the shared library ${match[1] ?? ""} is not in the image`,
      fix: `Add ${match[1] ?? ""} to the image.`,
    }),
  },
  {
    weight: 3,
    pattern:
      /(?:^|[\s"'`(:=])(\/[^\s"'`:),]{1,200})['"`]?:? ?(?:\(?2: )?(?:No such file or directory|not found|does not exist|: no such file)/i,
    cause: (match) => missingFile(match[1]),
  },
  {
    weight: 3,
    pattern:
      /(?:no such file or directory|FileNotFoundError[^'"/]{0,60}|FileNotFoundException:|ENOENT[^'"/]{0,60}|file not found|NoSuchFileException:)[:,]? ?(?:open|stat|lstat|access|scandir)? ?['"]?(\/?[\w./-]{2,200})/i,
    cause: (match) => missingFile(match[1]),
  },
  {
    weight: 2,
    pattern:
      /\b(?:open|stat|read|load|find|opening|reading|loading) (?:config(?:uration)? )?(?:file )?['"]?([\w./-]{2,200})['"]?: no such file or directory/i,
    cause: (match) => missingFile(match[1]),
  },
  {
    weight: 2,
    pattern: /(?:^|: )(?:line \d{1,6}: |\d{1,6}: )?([\w./-]{2,100}): (?:command )?not found$/,
    cause: (match) => ({
      causeKind: "configuration",
      because: `the command ${match[1] ?? ""} is not in the image`,
      fix: `Correct the command, or use an image that has ${match[1] ?? ""}.`,
    }),
  },
];

function missingFile(path: string | undefined): Cause | undefined {
  if (path === undefined) return undefined;
  return {
    causeKind: "configuration",
    because: `the file ${path} does not exist in the container`,
    fix: `Mount or add ${path}, or correct the setting that names it.`,
    nextCheck:
      "compare the path with the container's volumeMounts and with the keys of the ConfigMap or Secret",
  };
}

const permissions: readonly CauseRule[] = [
  {
    weight: 3,
    pattern:
      /container has runAsNonRoot and image (?:will run as root|has non-numeric user \(?([^),]{1,100}))/,
    cause: (match) => ({
      causeKind: "configuration",
      because:
        match[1] === undefined
          ? "its securityContext says runAsNonRoot, and the image runs as root"
          : `its securityContext says runAsNonRoot, and the image names the user ${match[1]}, of which the kubelet cannot tell that it is not root`,
      fix: "Set runAsUser to a number other than 0, or build the image with a numeric USER.",
    }),
  },
  {
    weight: 3,
    pattern: /(?:read-only file system|EROFS)/i,
    cause: (_match, line) => {
      const path = pathIn(line);
      return {
        causeKind: "configuration",
        because: `it writes ${path === undefined ? "to its root file system" : path} on a file system that is read-only`,
        fix: `Mount an emptyDir at ${path ?? "the path that it writes"}, or unset readOnlyRootFilesystem.`,
      };
    },
  },
  {
    weight: 3,
    pattern:
      /bind[^\n]{0,80}(?::(\d{1,5})\b)[^\n]{0,60}(?:permission denied|EACCES)|(?:listen|EACCES)[^\n]{0,60}:(\d{1,5}): ?(?:bind: )?permission denied|listen EACCES[^\n]{0,80}:(\d{1,5})/i,
    cause: (match) => {
      const port = match[1] ?? match[2] ?? match[3] ?? "";
      return {
        causeKind: "configuration",
        because: `it may not listen on port ${port}: its user is not root and the port is below 1024 (permission denied)`,
        fix: `Listen on a port above 1023, or add the capability NET_BIND_SERVICE.`,
      };
    },
  },
  {
    weight: 2,
    pattern:
      /permission denied|EACCES|operation not permitted|PermissionError|AccessDeniedException/i,
    cause: (_match, line) => {
      if (/publickey|password|token|forbidden/i.test(line)) return undefined;
      const path = pathIn(line);
      return {
        causeKind: "configuration",
        because: `permission is denied${path === undefined ? "" : ` for ${path}`} to the user that it runs as`,
        fix: `Run as a user that owns ${path ?? "the path"} (securityContext runAsUser, fsGroup), or change its mode in the image.`,
      };
    },
  },
];

function pathIn(line: string): string | undefined {
  return /(?:^|[\s"'`(=:])(\/[\w.@/-]{2,200})/.exec(line)?.[1];
}

const ports: readonly CauseRule[] = [
  {
    weight: 3,
    pattern:
      /address (?:is )?already in use|EADDRINUSE|\bport (?:\d{1,5} )?(?:is |was )?already (?:in use|allocated)|\(98: /i,
    cause: (_match, line) => {
      const port = /(?::|[Pp]ort )(\d{2,5})\b/.exec(line)?.[1];
      return {
        causeKind: "configuration",
        because: `the port ${port === undefined ? "" : `${port} `}that it listens on is already in use in its network namespace`,
        fix: `Give one of the containers of the pod${port === undefined ? "" : ` that listen on ${port}`} another port (containers of a pod share their ports; with hostNetwork so do all pods of the node).`,
      };
    },
  },
];

const configuration: readonly CauseRule[] = [
  {
    weight: 3,
    pattern: /\[emerg\] (?:\d+#\d+: )?(.{1,300})/,
    cause: (match) =>
      /host not found in|bind\(\)|Permission denied/.test(match[1] ?? "")
        ? undefined
        : invalid(`nginx refuses its configuration: ${match[1] ?? ""}`),
  },
  {
    weight: 3,
    pattern:
      /\b(?:unknown (?:shorthand )?flag|flag provided but not defined|unrecognized (?:arguments?|option)|unknown option|unknown (?:configuration )?(?:directive|command|argument|field|key)|invalid option)s?:? ?(?:--)?['"]?([^'"\n]{1,120})/i,
    cause: (match) => invalid(`it is given the unknown flag or setting ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 3,
    pattern:
      /\b(?:(?:failed|unable|error|could not|cannot|can't)[^\n]{0,40}(?:pars|load|read|decod|unmarshal|valid)\w*[^\n]{0,60}(?:config|configuration|settings|yaml|json|toml|properties)|invalid (?:config|configuration|value|port|log level)|(?:config|configuration) (?:error|is invalid|invalid|file is)|error in config)[^\n]{0,300}/i,
    cause: (match, line) =>
      /no such file|not found|denied|refused/i.test(line)
        ? undefined
        : invalid(`its configuration cannot be used: ${match[0].trim()}`),
  },
  {
    weight: 2,
    pattern:
      /\b(?:yaml: (?:line \d+|unmarshal|did not find)|JSONDecodeError|json\.decoder|SyntaxError: Unexpected token|invalid character '[^']*' (?:looking|after)|toml: |mapping values are not allowed)[^\n]{0,200}/i,
    cause: (match) => invalid(`a file that it reads is malformed: ${match[0].trim()}`),
  },
];

function invalid(because: string): Cause {
  return { causeKind: "configuration", because, fix: "Correct the setting that the line names." };
}

/** Rules in which the first that fits a line wins. */
export const settingCauses: readonly CauseRule[] = [
  ...environment,
  ...ports,
  ...permissions.slice(0, 3),
  ...files,
  ...permissions.slice(3),
  ...configuration,
];
