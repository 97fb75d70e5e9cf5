"use strict";
(() => {
  const element = (id) => document.getElementById(id);
  const [token, query, variables, operation, consistency, status, result] =
    ["token", "query", "variables", "operation", "consistency", "status", "result"].map(element);

  query.value = `query Orders($first: Int!) {
  orders(first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      node {
        id number status paymentStatus fulfilmentStatus placedAt version
        total { amount currency }
        lines { sku name quantity unitPrice { amount currency } }
      }
    }
  }
}
`;
  variables.value = `{"first": 10}`;

  async function ask(body) {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
    if (token.value.trim()) headers.authorization = `Bearer ${token.value.trim()}`;
    if (consistency.value.trim()) headers["oms-consistency"] = consistency.value.trim();
    const started = performance.now();
    const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(body) });
    const text = await response.text();
    status.textContent = `${response.status} ${response.statusText} · ${Math.round(performance.now() - started)} ms · ${text.length} characters`;
    try { return JSON.parse(text); } catch { return text; }
  }

  async function run() {
    const body = { query: query.value };
    try {
      if (variables.value.trim()) body.variables = JSON.parse(variables.value);
    } catch (error) {
      status.textContent = `The variables are no JSON: ${error.message}`;
      variables.focus();
      return;
    }
    if (operation.value.trim()) body.operationName = operation.value.trim();
    status.textContent = "Running…";
    try {
      const answer = await ask(body);
      result.textContent = typeof answer === "string" ? answer : JSON.stringify(answer, null, 2);
    } catch (error) {
      status.textContent = `The server cannot be reached: ${error.message}`;
    }
  }

  const wholeSchema = `{ __schema { types { kind name description
    fields { name description args { name type { ...T } } type { ...T } }
    inputFields { name description type { ...T } } enumValues { name description } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;
  let types = [];

  const typeText = (type) =>
    type.kind === "NON_NULL" ? `${typeText(type.ofType)}!` : type.kind === "LIST" ? `[${typeText(type.ofType)}]` : type.name;

  function node(name, text, ...children) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  }

  function showTypes() {
    const wanted = element("find").value.trim().toLowerCase();
    const list = element("types");
    list.replaceChildren();
    for (const type of types) {
      const members = [...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])];
      const named = type.name.toLowerCase().includes(wanted);
      const shown = named ? members : members.filter((member) => member.name.toLowerCase().includes(wanted));
      if (wanted && !named && shown.length === 0) continue;
      const entries = node("dl");
      for (const member of shown) {
        const args = (member.args ?? []).map((arg) => `${arg.name}: ${typeText(arg.type)}`).join(", ");
        const kind = member.type ? `: ${typeText(member.type)}` : "";
        entries.append(node("dt", `${member.name}${args ? `(${args})` : ""}${kind}`));
        if (member.description) entries.append(node("dd", member.description));
      }
      const details = node("details", "", node("summary", type.name), entries);
      details.open = Boolean(wanted);
      list.append(details);
    }
  }

  async function loadSchema() {
    status.textContent = "Loading the schema…";
    try {
      const answer = await ask({ query: wholeSchema });
      const found = answer?.data?.__schema?.types;
      if (!found) {
        result.textContent = JSON.stringify(answer, null, 2);
        return;
      }
      types = found.filter((type) => !type.name.startsWith("__")).sort((a, b) => a.name.localeCompare(b.name));
      showTypes();
    } catch (error) {
      status.textContent = `The server cannot be reached: ${error.message}`;
    }
  }

  element("run").addEventListener("click", run);
  element("load-schema").addEventListener("click", loadSchema);
  element("find").addEventListener("input", showTypes);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
})();
