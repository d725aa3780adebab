import { assert, property, string, webUrl } from "fast-check";
import { describe, expect, it } from "vitest";

import { urlTarget } from "./url-template.ts";

describe("urlTarget", () => {
  it.each([
    ["http://u:p@Users:8080/users/42?x=1#top", "users:8080", "/users/{id}?x"],
    ["/users/3fa85f64-5717-4562-b3fc-2c963f66afa6/orders", "", "/users/{id}/orders"],
    ["https://api/v2/items/SKU-0042", "api", "/v2/items/{id}"],
    ["https://api/v1.1/statuses/show/210462857140252672.json", "api", "/v1.1/statuses/show/{id}"],
    ["https://api/objects/507f1f77bcf86cd799439011", "api", "/objects/{id}"],
    ["https://api/charges/ch_3MqLiJLkdIwHu7ix0ZkT7UZx", "api", "/charges/{id}"],
    ["https://api/users/ann%40x.org/inbox", "api", "/users/{id}/inbox"],
    ["https://api/reports/2026-01-31", "api", "/reports/{id}"],
    ["https://api/clients/11/project/1343-turtles", "api", "/clients/{id}/project/{id}"],
    ["https://api/item/be9a25322d/details", "api", "/item/{id}/details"],
    ["https://api/item/defaced12-abba/details", "api", "/item/defaced12-abba/details"],
    ["https://api/oauth2/token", "api", "/oauth2/token"],
    ["https://api/search?b=2&a=1&a=3", "api", "/search?a&b"],
    ["https://api", "api", "/"],
    ["https://api/users/", "api", "/users"],
  ])("reduces %s", (url, host, template) => {
    expect(urlTarget(url)).toMatchObject({ host, template });
  });

  it.each(["/users/:id", "/users/{userId}", "/users/<int:id>", "/users/*", "http://x/users/[id]"])(
    "trusts the route %s",
    (route) => {
      expect(urlTarget("http://x/users/ann", route).template).toBe("/users/{id}");
    },
  );

  it.each([
    ["/users?ids=1,2,3", 3],
    ["/users?id=1&id=2", 2],
    ["/users?sort=name,age", 0],
    ["/users", 0],
  ])("counts the values of a list in %s", (url, count) => {
    expect(urlTarget(url).valueCount).toBe(count);
  });

  it.each([
    ["/users?page=2", true],
    ["/users?pageToken=x", true],
    ["/users?q=2", false],
  ])("knows pages in %s", (url, isPaged) => {
    expect(urlTarget(url).isPaged).toBe(isPaged);
  });

  it("ends for any text, and reduces a template to itself", () => {
    assert(
      property(string({ maxLength: 200 }), (text) => {
        expect(typeof urlTarget(text).template).toBe("string");
      }),
      { numRuns: 1_000 },
    );
    assert(
      property(webUrl(), (url) => {
        const { template } = urlTarget(url);
        expect(urlTarget(template.split("?", 1)[0] ?? "").template).toBe(template.split("?", 1)[0]);
      }),
    );
  });
});
