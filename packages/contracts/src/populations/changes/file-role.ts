/** What a changed file is for, by where it lies and what it is called. */

export type FileRole =
  | "test"
  | "documents"
  | "build"
  | "style"
  | "dependencies"
  | "settings"
  | "code";

const roles: readonly (readonly [FileRole, RegExp])[] = [
  [
    "test",
    /(?:^|\/)(?:tests?|__tests__|spec|testdata|fixtures|e2e)\/|[._-](?:test|spec|bench)\.\w+$|_test\.\w+$|_fuzz_test\.|(?:^|\/)test_\w+\.py$|(?:^|\/)bench_\w*|_bench\.|Tests?\.(?:java|kt|cs)$/,
  ],
  [
    "dependencies",
    /(?:^|\/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements\S*\.txt|poetry\.lock|Pipfile(?:\.lock)?|pyproject\.toml|Cargo\.(?:toml|lock)|pom\.xml|build\.gradle(?:\.kts)?|Gemfile(?:\.lock)?|composer\.(?:json|lock)|\S+\.csproj)$/,
  ],
  [
    "documents",
    /\.(?:md|mdx|rst|adoc|txt|svg|png)$|(?:^|\/)(?:docs?|runbooks)\/|(?:^|\/)(?:CODEOWNERS|LICENSE|NOTICE|AUTHORS|OWNERS)$/i,
  ],
  [
    "build",
    /(?:^|\/)\.(?:github|gitlab|circleci|buildkite)\/|(?:^|\/)(?:Makefile|Jenkinsfile|\.gitlab-ci\.yml|\.golangci\.ya?ml|\.eslintrc\S*|\.prettierrc\S*|\.editorconfig|\.gitignore|renovate\.json)$/,
  ],
  [
    "style",
    /\.(?:css|scss|less|html|tmpl|hbs|ejs)$|(?:^|\/)(?:templates|static|assets|public|locales?|i18n)\//,
  ],
  [
    "settings",
    /\.(?:ya?ml|toml|ini|conf|cfg|properties|env|tf|hcl|json)$|(?:^|\/)(?:Dockerfile|Corefile)\S*$|(?:^|\/)(?:config|deploy|k8s|helm|manifests|terraform|charts)\//,
  ],
];

/** The role of a path. */
export function roleOf(path: string): FileRole {
  return roles.find(([, pattern]) => pattern.test(path))?.[0] ?? "code";
}

/** Whether files of a role change what a running service does. */
export function isBehaviour(role: FileRole): boolean {
  return role === "code" || role === "settings" || role === "dependencies";
}
