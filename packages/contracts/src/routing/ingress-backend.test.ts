import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import { checkTexts, findingOf, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { service } from "./fixtures/manifests.ts";
import { ingressBackend } from "./ingress-backend.ts";

function ingress(backend: string, more = "", name = "web"): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: shop }
spec: { ingressClassName: nginx, ${more} rules: [{ host: a.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: ${backend} } }] } }] }`;
}

const toWeb = "{ name: web, port: { number: 80 } }";
const nginx = `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: nginx }`;
const web = service("web", "app: web", "ports: [{ name: http, port: 80, targetPort: 8080 }]");

function judge(...texts: readonly string[]) {
  return findingOf(checkTexts(ingressBackend, ...texts), "shop/web");
}

describe("the backend", () => {
  test("holds by number and by name", () => {
    expect(judge(nginx, web, ingress(toWeb)).verdict).toBe("holds");
    expect(judge(nginx, web, ingress("{ name: web, port: { name: http } }")).verdict).toBe("holds");
  });

  test("is violated when no service of the namespace has its name, and proposes the nearest", () => {
    const finding = judge(nginx, web, ingress("{ name: wep, port: { number: 80 } }"));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding.fixes[0]?.description).toContain("from wep to web");
  });

  test("is not known when an operator of the namespace may make it", () => {
    const cluster = `apiVersion: store.example.io/v1\nkind: StoreCluster\nmetadata: { name: s, namespace: shop }`;
    const missing = ingress("{ name: web-dashboard, port: { number: 80 } }");
    expect(judge(nginx, web, cluster, missing)).toMatchObject({ verdict: "inconclusive" });
    const slip = ingress("{ name: frontned, port: { number: 80 } }");
    const frontend = service("frontend", "app: web", "ports: [{ port: 80 }]");
    expect(judge(nginx, frontend, cluster, slip)).toMatchObject({ verdict: "violated" });
    const held = web.replace("namespace: shop", "namespace: shop, uid: u-1");
    expect(judge(nginx, held, cluster, missing)).toMatchObject({ verdict: "violated" });
    const issuer = cluster.replace("store.example.io", "cert-manager.io");
    expect(judge(nginx, web, issuer, missing)).toMatchObject({ verdict: "violated" });
  });

  test("is violated when the service lies in another namespace", () => {
    const other = web
      .replace("namespace: shop", "namespace: store")
      .replace("name: web", "name: api");
    const finding = judge(nginx, other, ingress("{ name: api, port: { number: 80 } }"));
    expect(finding.title).toContain("namespace store");
  });

  test("is inconclusive when no service of the namespace is in the evidence", () => {
    expect(judge(nginx, ingress(toWeb)).verdict).toBe("inconclusive");
  });

  test("is violated when it names the port of the pod instead of that of the service", () => {
    const finding = judge(nginx, web, ingress("{ name: web, port: { number: 8080 } }"));
    expect(finding.title).toContain("8080 is the targetPort behind its port 80");
    expect(finding.fixes[0]).toMatchObject({ verified: true });
  });

  test("is read as old versions of the API write it", () => {
    const old = `apiVersion: extensions/v1beta1
kind: Ingress
metadata: { name: web, namespace: shop, annotations: { kubernetes.io/ingress.class: nginx } }
spec: { rules: [{ http: { paths: [{ backend: { serviceName: web, servicePort: 81 } }] } }] }`;
    expect(judge(web, old).title).toContain("no port 81");
    expect(judge(web, old.replace("81", "80")).verdict).toBe("holds");
  });
});

describe("the class", () => {
  test("is violated when there are others, and inconclusive when none is in the evidence", () => {
    const other = nginx.replace("nginx", "traefik");
    const finding = judge(other, web, ingress(toWeb));
    expect(finding.verdict).toBe("violated");
    expect(finding.fixes[0]?.description).toContain("from nginx to traefik");
    expect(judge(web, ingress(toWeb))).toMatchObject({
      verdict: "inconclusive",
      missing: [expect.stringContaining("one is named nginx")],
    });
  });

  test("left out is right only where the cluster has a default", () => {
    const open = ingress(toWeb).replace("ingressClassName: nginx, ", "");
    expect(judge(nginx, web, open).verdict).toBe("violated");
    const standard = nginx.replace(
      "name: nginx",
      'name: nginx, annotations: { ingressclass.kubernetes.io/is-default-class: "true" }',
    );
    expect(judge(standard, web, open).verdict).toBe("holds");
    expect(judge(web, open).verdict).toBe("inconclusive");
  });
});

describe("the certificate", () => {
  const tls = "tls: [{ hosts: [a.example.com], secretName: cert }],";
  const secret = (body: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: { name: cert, namespace: shop }\n${body}`;

  test("needs both keys", () => {
    const whole = secret("type: kubernetes.io/tls\ndata: { tls.crt: YQ==, tls.key: YQ== }");
    expect(judge(nginx, web, ingress(toWeb, tls), whole).verdict).toBe("holds");
    const half = secret("type: Opaque\ndata: { tls.crt: YQ== }");
    const finding = judge(nginx, web, ingress(toWeb, tls), half);
    expect(finding.title).toContain("lacks tls.key");
  });

  test("is inconclusive when it is not in the evidence, and no matter when cert-manager makes it", () => {
    expect(judge(nginx, web, ingress(toWeb, tls)).verdict).toBe("inconclusive");
    const made = ingress(toWeb, tls).replace(
      "namespace: shop",
      "namespace: shop, annotations: { cert-manager.io/cluster-issuer: le }",
    );
    expect(judge(nginx, web, made).verdict).toBe("holds");
  });
});

describe("the rules", () => {
  test("two Ingresses of one class do not claim the same path", () => {
    const api = service("api", "app: api");
    const rival = ingress("{ name: api, port: { number: 80 } }", "", "api");
    expect(judge(nginx, web, api, ingress(toWeb), rival).title).toContain("shop/api");
    const canary = rival.replace(
      "namespace: shop",
      'namespace: shop, annotations: { nginx.ingress.kubernetes.io/canary: "true" }',
    );
    expect(judge(nginx, web, api, ingress(toWeb), canary).verdict).toBe("holds");
  });

  test("a host is a name, not a URL", () => {
    const url = ingress(toWeb).replace("host: a.example.com", 'host: "https://a.example.com/x"');
    expect(judge(nginx, web, url).fixes[0]?.description).toContain("to a.example.com");
  });

  test("an Ingress of a cluster without an address is inconclusive", () => {
    const live = ingress(toWeb).replace("namespace: shop", "namespace: shop, uid: u1");
    expect(judge(nginx, web, live).title).toContain("no address");
  });
});

describe("load balancers", () => {
  const balancer = (more: string, status = "{ loadBalancer: {} }"): string =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop, uid: u1, ${more} }\nspec: { type: LoadBalancer, ports: [{ port: 80 }] }\nstatus: ${status}`;
  const later = `apiVersion: v1\nkind: Event\nmetadata: { name: e }\nlastTimestamp: "2026-01-01T01:00:00Z"`;

  test("hold with an address, wait for a while, and then are violated", () => {
    const address = "{ loadBalancer: { ingress: [{ ip: 1.2.3.4 }] } }";
    expect(judge(balancer("", address)).verdict).toBe("holds");
    expect(judge(balancer("")).verdict).toBe("inconclusive");
    const old = balancer('creationTimestamp: "2026-01-01T00:00:00Z"');
    expect(judge(old, later).verdict).toBe("violated");
    const patient = ingressBackend.with({ pendingMinutesMax: 90 });
    expect(findingOf(checkTexts(patient, old, later), "shop/web").verdict).toBe("inconclusive");
  });

  test("of manifests are not waited for", () => {
    const manifest = balancer("").replace(", uid: u1", "");
    expect(checkTexts(ingressBackend, manifest)).toEqual([]);
  });
});

describe("the Gateway API", () => {
  const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: infra }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }] }
status: { addresses: [{ value: 1.2.3.4 }] }`;
  const route = (parent: string, backend: string): string =>
    `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec: { parentRefs: [${parent}], rules: [{ backendRefs: [${backend}] }] }`;
  const onGateway = "{ name: gw, namespace: infra }";

  test("holds for a route on a gateway that lets it, to a service with that port", () => {
    const finding = judge(gateway, web, route(onGateway, "{ name: web, port: 80 }"));
    expect(finding.verdict).toBe("holds");
  });

  test("is not confused by a gateway of another group with the same name", () => {
    const istio = `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: gw, namespace: infra }\nspec: { servers: [] }`;
    const texts = [web, route(onGateway, "{ name: web, port: 80 }")];
    expect(judge(gateway, istio, ...texts).verdict).toBe("holds");
    expect(judge(istio, gateway, ...texts).verdict).toBe("holds");
    expect(judge(istio, ...texts).verdict).toBe("inconclusive");
  });

  test("is violated for a gateway elsewhere, a listener that is not there, a closed listener", () => {
    const to = "{ name: web, port: 80 }";
    expect(judge(gateway, web, route("{ name: gw }", to)).title).toContain("namespace infra");
    const https = "{ name: gw, namespace: infra, sectionName: https }";
    expect(judge(gateway, web, route(https, to)).title).toContain("no listener https");
    const closed = gateway.replace("from: All", "from: Same");
    expect(judge(closed, web, route(onGateway, to)).title).toContain("takes no routes");
  });

  test("takes manifests of some gateways for no list of all, save where a name is a slip", () => {
    const to = "{ name: web, port: 80 }";
    const manifest = gateway
      .replace(/\nstatus: .*/, "")
      .replace("name: gw,", "name: public-gateway,");
    const onto = (name: string): string => route(`{ name: ${name}, namespace: infra }`, to);
    expect(judge(manifest, web, onto("public-gateway-tls")).verdict).toBe("inconclusive");
    expect(judge(manifest, web, onto("public-gatway")).verdict).toBe("violated");
    const live = manifest.replace("namespace: infra }", "namespace: infra, uid: u-1 }");
    expect(judge(live, web, onto("public-gateway-tls")).verdict).toBe("violated");
  });

  test("is violated for a service of another namespace without a grant", () => {
    const other = web.replace("namespace: shop", "namespace: store");
    const to = "{ name: web, namespace: store, port: 80 }";
    expect(judge(gateway, other, route(onGateway, to)).title).toContain("no ReferenceGrant");
    const grant = `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: g, namespace: store }
spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop }], to: [{ group: "", kind: Service }] }`;
    expect(judge(gateway, other, grant, route(onGateway, to)).verdict).toBe("holds");
  });
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    nginx,
    web,
    ingress("{ name: wep, port: { number: 80 } }", "", "alpha"),
    ingress(toWeb, "", "beta").replace("a.example.com", "b.example.com"),
  ).map((object) => ({ ...object }));
  // Copies in another namespace would claim the same hosts, which is a fault of its own.
  const single = objects.map(({ metadata: { namespace: _namespace, ...metadata }, ...rest }) => ({
    ...rest,
    metadata,
  }));
  expectSameFindings(ingressBackend, single, ["alpha", "beta"]);
});
