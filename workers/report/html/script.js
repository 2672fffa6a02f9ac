"use strict";
// The table of tests. Only the rows that can be seen exist, so that 50,000 are as quick as five. All text
// is set as text: nothing here makes HTML of data.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  if (!table) return;
  table.hidden = false;
  const byId = (id) => document.getElementById(id);
  const scroller = byId("scroller"), rows = byId("rows"), count = byId("count");
  const total = data.name.length, height = 40, printedRows = 500;
  const chosen = new Set();
  const sort = {key: "outcome", down: false};
  let shown = [], haystack = null;
  const format = new Intl.NumberFormat("en");

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const word = (i) => data.outcomes[data.outcome[i]];
  const say = (outcome) => outcome.replace("_", " ");
  const seconds = (s) => s < 1 ? Math.round(s * 1000) + " ms" : s < 60 ? s.toFixed(s < 10 ? 2 : 1) + " s"
    : s < 3600 ? Math.floor(s / 60) + " m " + Math.round(s % 60) + " s"
    : Math.floor(s / 3600) + " h " + Math.round(s % 3600 / 60) + " m";
  const score = (x) => x === null ? "" : String(Math.round(x * 1e4) / 1e4);

  // Ranks make sorting by text as quick as by number; each is worked out when it is first wanted.
  const ranks = {};
  const rankOf = (key, values) => {
    if (ranks[key]) return ranks[key];
    const collator = new Intl.Collator("en", {numeric: true});
    const different = [...new Set(values)].sort(collator.compare);
    const place = new Map(different.map((value, i) => [value, i]));
    return ranks[key] = values.map((value) => place.get(value));
  };
  const valuesOf = (key) => key === "name" ? rankOf("name", data.name)
    : key === "run" ? rankOf("run", data.run.map((i) => data.runs[i])) : data[key];

  const filter = () => {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const run = byId("run").value;
    if (words.length && !haystack) {
      haystack = data.name.map((name, i) =>
        (name + "\n" + data.runs[data.run[i]] + "\n" + data.reason[i]).toLowerCase());
    }
    shown = [];
    for (let i = 0; i < total; ++i) {
      if (chosen.size && !chosen.has(data.outcome[i])) continue;
      if (run !== "" && data.run[i] !== Number(run)) continue;
      if (words.length && !words.every((one) => haystack[i].includes(one))) continue;
      shown.push(i);
    }
    order();
  };

  const order = () => {
    const values = valuesOf(sort.key), sign = sort.down ? -1 : 1;
    shown.sort((a, b) => {
      const x = values[a], y = values[b];
      if (x === y) return a - b;
      if (x === null) return 1;  // what has no value stands last, whichever way
      if (y === null) return -1;
      return x < y ? -sign : sign;
    });
    for (const head of document.querySelectorAll("#heads button")) {
      if (head.dataset.key === sort.key) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    count.textContent = shown.length === total ? format.format(total) + " tests"
      : format.format(shown.length) + " of " + format.format(total);
    rows.style.height = shown.length * height + "px";
    byId("grid").setAttribute("aria-rowcount", String(shown.length + 1));
    scroller.scrollTop = 0;
    draw();
  };

  const pool = [];
  const makeRow = () => {
    const row = element("div", undefined, "row");
    row.setAttribute("role", "row");
    row.tabIndex = -1;
    const cells = {};
    for (const name of ["o", "t", "r", "s", "d"]) {
      cells[name] = element("span", undefined, name === "o" ? "badge" : name === "s" || name === "d" ? name + " n" : name);
      cells[name].setAttribute("role", "cell");
      row.append(cells[name]);
    }
    row.addEventListener("click", () => open(row.index));
    rows.append(row);
    return pool[pool.push({row, cells}) - 1];
  };

  const draw = () => {
    byId("heads").style.marginRight = scroller.offsetWidth - scroller.clientWidth + "px";
    const first = Math.max(0, Math.floor(scroller.scrollTop / height) - 6);
    const last = Math.min(shown.length, first + Math.ceil(scroller.clientHeight / height) + 12);
    for (let k = 0; k < Math.max(pool.length, last - first); ++k) {
      const {row, cells} = pool[k] || makeRow();
      const at = first + k;
      row.hidden = at >= last;
      row.style.display = row.hidden ? "none" : "";
      if (row.hidden) continue;
      const i = shown[at];
      row.index = i;
      row.setAttribute("aria-rowindex", String(at + 2));
      row.style.transform = "translateY(" + at * height + "px)";
      cells.o.className = "badge b-" + word(i);
      cells.o.textContent = say(word(i));
      cells.t.replaceChildren(document.createTextNode(data.name[i]));
      if (data.reason[i]) cells.t.append(element("small", data.reason[i]));
      cells.t.title = data.name[i];
      cells.r.textContent = data.runs[data.run[i]];
      cells.s.textContent = score(data.score[i]);
      cells.d.textContent = seconds(data.seconds[i]);
    }
  };

  const open = (i) => {
    const body = byId("one-body");
    body.replaceChildren(element("h3", data.name[i]), element("span", say(word(i)), "badge b-" + word(i)),
      element("p", data.runs[data.run[i]] + ", " + seconds(data.seconds[i]) +
        (data.score[i] === null ? "" : ", score " + score(data.score[i])), "meta"));
    if (data.reason[i]) body.append(element("p", data.reason[i]));
    if (data.detail[i]) body.append(element("pre", data.detail[i]));
    byId("one").showModal();
  };

  const counts = new Array(data.outcomes.length).fill(0);
  for (const outcome of data.outcome) ++counts[outcome];
  counts.forEach((number, outcome) => {
    if (!number) return;
    const name = data.outcomes[outcome];
    const chip = element("button", say(name) + " " + format.format(number), "b-" + name);
    chip.type = "button";
    chip.dataset.outcome = name;
    chip.setAttribute("aria-pressed", "false");
    chip.addEventListener("click", () => {
      if (!chosen.delete(outcome)) chosen.add(outcome);
      chip.setAttribute("aria-pressed", String(chosen.has(outcome)));
      filter();
    });
    byId("chips").append(chip);
  });
  data.runs.forEach((title, i) => {
    const choice = element("option", title);
    choice.value = String(i);
    byId("run").append(choice);
  });
  if (data.runs.length < 2) byId("run").hidden = true;
  byId("run").addEventListener("change", filter);
  let waiting = 0;
  byId("find").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, total > 5000 ? 120 : 0);
  });
  for (const head of document.querySelectorAll("#heads button")) {
    head.addEventListener("click", () => {
      sort.down = sort.key === head.dataset.key ? !sort.down : head.classList.contains("n");
      sort.key = head.dataset.key;
      order();
    });
  }
  let drawing = false;
  const soon = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(); });
  };
  scroller.addEventListener("scroll", soon, {passive: true});
  window.addEventListener("resize", soon);
  // The keys that scroll work as everywhere; Enter opens the first row that can be seen.
  scroller.addEventListener("keydown", (event) => {
    const top = shown[Math.ceil(scroller.scrollTop / height)];
    if (event.key === "Enter" && top !== undefined) open(top);
  });
  // Paper has no scroll bar: a plain table of what is shown.
  window.addEventListener("beforeprint", () => {
    const list = element("table");
    for (const i of shown.slice(0, printedRows)) {
      const row = element("tr");
      row.append(element("td", say(word(i))), element("td", data.name[i]), element("td", data.runs[data.run[i]]),
        element("td", score(data.score[i])), element("td", seconds(data.seconds[i])));
      list.append(row);
    }
    byId("printed").replaceChildren(list);
    if (shown.length > printedRows) {
      byId("printed").append(element("p", format.format(shown.length - printedRows) + " more are in the CSV.", "note"));
    }
  });
  filter();
})();
