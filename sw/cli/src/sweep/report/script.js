"use strict";
// The page of a sweep: one list of shown points, from which table, scatter and heat map are drawn.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const colours = ["#2f7ed8", "#d9822b", "#2a9d6f", "#c2456b", "#7b61c9", "#8c7a1f", "#1f9aa8", "#a05a2c", "#5a6b7b", "#b04fc0"];
  const bounds = { array: "#2f7ed8", in: "#d9822b", out: "#2a9d6f", latency: "#c2456b" };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // 12345678 -> 12.35 M
  const short = (value, digits = 4) => {
    for (const [unit, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e4]]) {
      if (Math.abs(value) >= size) return (value / (unit === "k" ? 1e3 : size)).toPrecision(digits) + " " + unit;
    }
    return String(Math.round(value * 100) / 100);
  };
  // 20000000 -> 20 M
  const tick = (value) => short(value, 3).replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
  const percent = (share) => (100 * share).toFixed(2);
  // accuracy, more of which is better, or what is stored and built, less of which is
  const better = (a, b) => (data.trained ? a > b : a < b);
  const other = (g, place) => (data.trained ? 100 * g.against[place] : g.against[place]);
  const written = (g, place) => (data.trained ? percent(g.against[place]) + (g.error === null ? "" : " ± " + percent(g.error)) : short(g.against[place]));
  const titles = data.against.map((name) => (data.trained ? name + " %" : name));

  const onFront = data.fronts.map((costs) => costs.map((places) => new Set(places)));
  // in the order of the sweep
  const levels = data.axes.map((_, axis) => [...new Set(data.groups.map((g) => g.levels[axis]))]);
  const widest = (() => {
    const spread = (axis) => {
      const means = levels[axis].map((level) => {
        const of = data.groups.filter((g) => g.levels[axis] === level);
        return of.reduce((sum, g) => sum + (data.trained ? g.against[0] : Math.log(g.costs[0])), 0) / of.length;
      });
      return Math.max(...means) - Math.min(...means);
    };
    // what silicon grows follows from the others
    const follows = (axis) => data.grown.includes(data.axes[axis]);
    return data.axes.map((_, axis) => axis).sort((a, b) => follows(a) - follows(b) || spread(b) - spread(a));
  })();
  // of the axes that have more than one level, if there are two
  const several = widest.filter((axis) => levels[axis].length > 1).concat(widest.filter((axis) => levels[axis].length < 2));

  const state = { text: "", only: data.axes.map(() => ""), sort: { key: "cost0", down: false }, cost: 0, against: 0, colour: several[0] ?? -1, chosen: null, all: false };
  const most = 1000;

  const shown = () => data.groups.map((g, place) => ({ g, place })).filter(({ g }) =>
    state.only.every((level, axis) => level === "" || g.levels[axis] === level) &&
    state.text.toLowerCase().split(/\s+/).every((word) => (g.levels.join(" ") + " " + g.ids.join(" ")).toLowerCase().includes(word)));

  const options = (select, names, chosen, changed) => {
    names.forEach((name, i) => select.append(make("option", name, { value: i })));
    select.value = String(chosen);
    select.addEventListener("change", () => changed(Number(select.value)));
  };

  // Table
  const columns = [
    ...data.axes.map((axis, i) => ({ key: "axis" + i, name: axis, of: (g) => g.levels[i], compare: (a, b) => levels[i].indexOf(a.levels[i]) - levels[i].indexOf(b.levels[i]) })),
    ...data.against.map((name, i) => ({ key: data.trained ? name : "against" + i, name: titles[i], number: true, of: (g) => written(g, i), compare: (a, b) => a.against[i] - b.against[i] })),
    ...data.costs.map((cost, i) => ({ key: "cost" + i, name: cost, number: true, of: (g) => short(g.costs[i]), compare: (a, b) => a.costs[i] - b.costs[i], front: i })),
    ...(data.groups.some((g) => g.mhz) ? [
      { key: "mhz", name: "MHz", number: true, of: (g) => String(Math.round(10 * g.mhz) / 10), compare: (a, b) => a.mhz - b.mhz },
      { key: "mhz_from", name: "MHz from", of: (g) => g.mhz_from, compare: (a, b) => a.mhz_from.localeCompare(b.mhz_from) },
    ] : []),
  ];
  const table = () => {
    const head = make("tr");
    for (const column of columns) {
      const cell = make("th", undefined, { scope: "col", class: column.number ? "number" : "", "aria-sort": state.sort.key !== column.key ? "none" : state.sort.down ? "descending" : "ascending" });
      const mark = state.sort.key !== column.key ? "" : state.sort.down ? " ▼" : " ▲";
      const button = make("button", column.name + mark, { type: "button", "data-sort": column.key });
      button.addEventListener("click", () => {
        state.sort = { key: column.key, down: state.sort.key === column.key && !state.sort.down };
        table();
      });
      cell.append(button);
      head.append(cell);
    }
    at("points").tHead.replaceChildren(head);
    const { compare } = columns.find((c) => c.key === state.sort.key);
    const rows = shown().sort((a, b) => (state.sort.down ? -1 : 1) * compare(a.g, b.g) || a.place - b.place);
    const part = state.all ? rows : rows.slice(0, most);
    at("points").tBodies[0].replaceChildren(...part.map(({ g, place }) => {
      const row = make("tr", undefined, { tabindex: 0, "data-place": place, class: place === state.chosen ? "chosen" : "" });
      for (const column of columns) {
        const front = column.front !== undefined && onFront[state.against][column.front].has(place);
        row.append(make("td", column.of(g) + (front ? " ●" : ""), { class: (column.number ? "number" : "") + (front ? " front" : "") }));
      }
      row.addEventListener("click", () => choose(place));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(place); });
      return row;
    }));
    at("count").textContent = `${rows.length} of ${data.groups.length} points; ● is on the front of ${data.against[state.against]} against that cost, of all points`;
    at("more").hidden = part.length === rows.length;
    at("more").textContent = `show all ${rows.length}`;
  };

  // Scatter
  let scatter;
  const dots = () => {
    const points = shown();
    const series = state.colour < 0 ? [""] : levels[state.colour];
    const sets = series.map((level, i) => ({
      label: level, pointRadius: 4, pointHoverRadius: 6, backgroundColor: colours[i % colours.length] + "b0", borderColor: colours[i % colours.length], borderWidth: 1,
      data: points.filter(({ g }) => state.colour < 0 || g.levels[state.colour] === level).map(({ g, place }) => ({ x: g.costs[state.cost], y: other(g, state.against), place })),
    })).filter((set) => set.data.length > 0);
    const front = data.fronts[state.against][state.cost].map((place) => ({ x: data.groups[place].costs[state.cost], y: other(data.groups[place], state.against), place }));
    sets.push({ label: "front", data: front, showLine: true, stepped: "before", pointRadius: 0, pointHitRadius: 0, borderColor: css("--text"), borderWidth: 1.5, order: -1 });
    if (data.float && data.trained) {
      const costs = data.groups.map((g) => g.costs[state.cost]), y = 100 * data.float.accuracy.mean;
      sets.push({ label: "float", data: [Math.min(...costs), Math.max(...costs)].map((x) => ({ x, y })), showLine: true, pointRadius: 0, pointHitRadius: 0, borderColor: css("--faint"), borderDash: [6, 4], borderWidth: 1.5, order: 1 });
    }
    if (state.chosen !== null) {
      const g = data.groups[state.chosen];
      sets.push({ label: "chosen", data: [{ x: g.costs[state.cost], y: other(g, state.against), place: state.chosen }], pointStyle: "circle", pointRadius: 9, borderColor: css("--text"), borderWidth: 2, backgroundColor: "transparent", order: -2 });
    }
    const axis = (title, more) => ({ title: { display: true, text: title, color: css("--faint") }, ticks: { color: css("--faint"), ...more.ticks }, grid: { color: css("--line") }, ...more.rest });
    // room around the outermost dots
    const costs = data.groups.map((g) => g.costs[state.cost]);
    const room = at("log").checked ? { type: "logarithmic", min: Math.min(...costs) / 1.08, max: Math.max(...costs) * 1.08 } : { type: "linear", grace: "4%" };
    scatter?.destroy();
    scatter = new Chart(at("scatter"), {
      type: "scatter", data: { datasets: sets },
      options: {
        animation: false, maintainAspectRatio: false,
        scales: {
          x: axis(data.costs[state.cost], { ticks: { callback: (v) => tick(v), maxRotation: 0, autoSkip: true, autoSkipPadding: 24 }, rest: room }),
          y: axis(data.trained ? "test accuracy in %" : data.against[state.against], { ticks: data.trained ? {} : { callback: (v) => tick(v) }, rest: { grace: "4%" } }),
        },
        plugins: {
          legend: { labels: { color: css("--text"), boxWidth: 12 }, title: { display: state.colour >= 0, text: data.axes[state.colour], color: css("--faint") } },
          tooltip: { callbacks: { label: ({ raw }) => {
            const g = data.groups[raw.place];
            return [...data.axes.map((name, i) => `${name}: ${g.levels[i]}`), `${titles[state.against]}: ${written(g, state.against)}, ${data.costs[state.cost]}: ${short(g.costs[state.cost])}`];
          } } },
        },
        onClick: (_, hits) => { if (hits.length > 0) choose(scatter.data.datasets[hits[0].datasetIndex].data[hits[0].index].place); },
      },
    });
  };

  // Heat map
  const measures = [
    ...data.against.map((name, i) => ({ name: (data.trained ? "best " : "least ") + name, of: (g) => g.against[i], text: (g) => (data.trained ? percent(g.against[i]) : short(g.against[i])), better })),
    ...data.costs.map((name, i) => ({ name: "least " + name, of: (g) => g.costs[i], text: (g) => short(g.costs[i]), better: (a, b) => a < b })),
  ];
  const heat = () => {
    const [down, across, value] = ["heat-down", "heat-across", "heat-value"].map((id) => Number(at(id).value));
    const measure = measures[value];
    const best = new Map();
    for (const { g, place } of shown()) {
      const key = g.levels[down] + "\u0000" + g.levels[across];
      const before = best.get(key);
      if (before === undefined || measure.better(measure.of(g), measure.of(data.groups[before]))) best.set(key, place);
    }
    const all = [...best.values()].map((place) => measure.of(data.groups[place]));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const head = make("tr");
    head.append(make("th", `${data.axes[down] ?? ""} \\ ${data.axes[across] ?? ""}`));
    (levels[across] ?? []).forEach((level) => head.append(make("th", level, { scope: "col" })));
    const rows = (levels[down] ?? []).map((level) => {
      const row = make("tr");
      row.append(make("th", level, { scope: "row" }));
      for (const other of levels[across]) {
        const place = best.get(level + "\u0000" + other);
        const cell = make("td", place === undefined ? "" : measure.text(data.groups[place]));
        if (place !== undefined) {
          // the better, the fuller
          const share = high > low ? (measure.of(data.groups[place]) - low) / (high - low) : 1;
          const strength = Math.round(8 + 62 * (measure.better(1, 0) ? share : 1 - share));
          cell.style.background = `color-mix(in srgb, var(--mark) ${strength}%, var(--card))`;
          if (strength > 45) cell.style.color = "var(--card)";
          cell.style.cursor = "pointer";
          cell.tabIndex = 0;
          cell.addEventListener("click", () => choose(place));
          cell.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(place); });
        }
        row.append(cell);
      }
      return row;
    });
    at("heat").replaceChildren(head, ...rows);
    at("heat-note").textContent = `${measure.name} over all shown points with these two levels`;
  };

  // A point
  let bars;
  const choose = (place) => {
    state.chosen = place;
    const g = data.groups[place];
    at("point-title").textContent = g.levels.length > 0 ? data.axes.map((name, i) => `${name} ${g.levels[i]}`).join(", ") : "A point";
    const seeds = g.ids.length > 1 ? `, ${g.ids.length} seeds` : "";
    at("point-figures").textContent = [
      ...(data.trained ? [`${percent(g.against[0])} %${seeds}`] : data.against.map((name, i) => `${name} ${short(g.against[i])}`)),
      ...data.costs.map((cost, i) => `${cost} ${short(g.costs[i])}`),
      ...(g.mhz ? [`${Math.round(10 * g.mhz) / 10} MHz (${g.mhz_from})`] : []),
      data.trained ? `files ${g.ids.map((id) => id + ".json").join(", ")}` : g.ids[0],
    ].join("; ");
    at("point").hidden = false;
    at("network").textContent = g.network;
    at("accelerator").textContent = data.accelerators[g.accelerator];
    at("bars-plot").style.height = 70 + 26 * g.products.length + "px";
    bars?.destroy();
    const colour = (alpha) => g.products.map((p) => (bounds[p.bound] ?? bounds.latency) + alpha);
    bars = new Chart(at("bars"), {
      type: "bar",
      data: {
        labels: g.products.map((p) => `${p.layer} ${p.product.replace("_", " ")}`),
        datasets: [
          { label: "at least", data: g.products.map((p) => p.least), backgroundColor: colour("ff") },
          { label: "above", data: g.products.map((p) => p.cycles - p.least), backgroundColor: colour("55") },
        ],
      },
      options: {
        indexAxis: "y", animation: false, maintainAspectRatio: false,
        scales: {
          x: { stacked: true, title: { display: true, text: "cycles of a training step", color: css("--faint") }, ticks: { color: css("--faint"), callback: (v) => tick(v) }, grid: { color: css("--line") } },
          y: { stacked: true, ticks: { color: css("--text"), autoSkip: false }, grid: { display: false } },
        },
        plugins: {
          legend: { onClick: () => {}, labels: { color: css("--text"), boxWidth: 12, generateLabels: () => [...new Set(g.products.map((p) => p.bound))].map((bound) => ({ text: "bound by " + bound, fillStyle: bounds[bound], strokeStyle: bounds[bound], fontColor: css("--text") })) } },
          tooltip: { callbacks: { label: ({ dataIndex }) => {
            const p = g.products[dataIndex];
            return [`${p.cycles.toLocaleString("en")} cycles, ${(p.cycles / Math.max(p.least, 1)).toFixed(2)} × the least`, `array ${short(p.array)}, in ${short(p.words_in)}, out ${short(p.words_out)}`];
          } } },
        },
      },
    });
    dots();
    for (const row of at("points").tBodies[0].rows) row.classList.toggle("chosen", Number(row.dataset.place) === place);
  };

  const draw = () => { table(); dots(); heat(); };

  // Controls
  const label = (text, element) => { const l = make("label", text + " "); l.append(element); return l; };
  const search = make("input", undefined, { type: "search", id: "search", placeholder: "words", autocomplete: "off" });
  search.addEventListener("input", () => { state.text = search.value.trim(); draw(); });
  at("filters").append(label("filter", search));
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  data.axes.forEach((name, axis) => {
    const select = make("select", undefined, { "data-axis": name });
    select.append(make("option", "all", { value: "" }));
    levels[axis].forEach((level) => select.append(make("option", level, { value: level })));
    select.addEventListener("change", () => { state.only[axis] = select.value; draw(); });
    at("filters").append(label(name, select));
  });
  options(at("cost"), data.costs, 0, (cost) => { state.cost = cost; dots(); });
  options(at("against"), data.against, 0, (against) => { state.against = against; table(); dots(); });
  at("against").parentElement.hidden = data.against.length < 2;
  if (!data.trained) at("scatter-title").textContent = "Costs against each other";
  at("network-title").textContent = data.network;
  options(at("colour"), data.axes, state.colour, (axis) => { state.colour = axis; dots(); });
  at("log").addEventListener("change", dots);
  options(at("heat-down"), data.axes, several[0] ?? 0, heat);
  options(at("heat-across"), data.axes, several[1] ?? several[0] ?? 0, heat);
  options(at("heat-value"), measures.map(({ name }) => name), data.trained ? 0 : data.against.length, heat);
  at("more").addEventListener("click", () => { state.all = true; table(); });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(at(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (state.chosen === null) dots(); else choose(state.chosen); });

  // What has no figures
  const listed = (title, items) => {
    if (items.length === 0) return;
    const details = make("details");
    details.append(make("summary", `${items.length} ${title}`));
    const list = make("ul");
    items.forEach((item) => list.append(make("li", `${item.levels.join(", ")}: ${item.reason}`)));
    details.append(list);
    at("others").append(details);
  };
  listed("failed", data.failed ?? []);
  listed("left out", data.left_out ?? []);
  at("others").hidden = at("others").childElementCount === 0;
  const simulated = (data.simulated ?? []).length;
  at("summary").textContent = [
    `${data.groups.length} points`,
    ...(data.missing > 0 ? [`${data.missing} missing`] : []),
    ...((data.failed ?? []).length > 0 ? [`${data.failed.length} failed`] : []),
    ...((data.left_out ?? []).length > 0 ? [`${data.left_out.length} left out`] : []),
    ...(data.float ? [`float ${percent(data.float.accuracy.mean)} %`] : []),
    ...(simulated > 0 ? [`${simulated} re-run on the simulated accelerator, equal`] : []),
  ].join(" · ");
  draw();
  const first = data.fronts[0]?.[0]?.at(-1);
  if (first !== undefined) choose(first);
})();
