"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const tool = byId("tool");
  if (!tool) return;
  const { head, rows: lines } = JSON.parse(byId("data").textContent);
  const { kept, codes, stages, messages } = head;
  const MOST_PRINTED = 1000;
  const BEYOND = 8;

  // What a row's array holds, in its order; the kept columns follow.
  const LINE = 0, USER = 1, LOGIN = 2, CODE = 3, STAGE = 4, STATUS = 5, ATTEMPTS = 6, CREDENTIAL = 7, STANDING = 8, FINISHED = 9, MESSAGE = 10, KEPT = 11;
  const rows = lines.slice(1);
  const place = new Map(rows.map((row, index) => [row, index]));

  const said = (row) => typeof row[MESSAGE] === "number" ? messages[row[MESSAGE]] : row[MESSAGE];
  const stage = (row) => row[STAGE] === null ? "" : stages[row[STAGE]];
  const where = (row) => stage(row) + (row[STATUS] === null ? "" : (stage(row) ? " · " : "") + "HTTP " + row[STATUS]);
  const finished = (row) => row[FINISHED] === null ? "" : new Date(row[FINISHED]).toISOString().replace("T", " ").replace("Z", " UTC");
  const number = (value) => value.toLocaleString("en-US");

  // What can't be seen, or turns other text around, is written out. The page's own text is treated alike.
  const DECEPTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
  const visible = (text) => String(text).replace(DECEPTIVE, (letter) => "[U+" + letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "]");

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // ---- Columns ----
  const COLUMNS = [
    { key: "line", title: "Line", text: (row) => String(row[LINE]), order: (row) => row[LINE] },
    { key: "outcome", title: "Outcome", text: (row) => codes[row[CODE]].code },
    { key: "message", title: "What happened", text: (row) => said(row) || codes[row[CODE]].meaning },
    { key: "where", title: "Where", text: where },
    { key: "login", title: "Login", text: (row) => row[LOGIN] || "" },
    { key: "user", title: "Leaf user", text: (row) => row[USER] || "" },
  ];
  const ORDERS = COLUMNS.concat([{ key: "finished", title: "Time", order: (row) => row[FINISHED] || 0 }]);

  // ---- Search ----
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const haystacks = new Array(rows.length);
  const haystack = (index) => {
    if (haystacks[index] === undefined) {
      const row = rows[index];
      const cells = [row[LINE], row[USER], row[LOGIN], codes[row[CODE]].code, where(row), row[CREDENTIAL], row[STANDING], said(row)].concat(row.slice(KEPT));
      const raw = cells.filter((cell) => cell !== null && cell !== "").join("\n");
      // What is written out is found as it stands on the page, and as whoever copied it from elsewhere has it.
      const shown = visible(raw);
      haystacks[index] = plain(shown === raw ? raw : raw + "\n" + shown);
    }
    return haystacks[index];
  };

  const search = byId("search"), status = byId("status"), grid = byId("grid"), body = byId("body"), columns = byId("columns"), chips = byId("chips"), sort = byId("sort");
  const chosen = new Set();
  let order = { key: "line", down: false };
  let shown = rows;
  let active = 0;

  const compare = () => {
    const column = ORDERS.find(({ key }) => key === order.key);
    const sign = order.down ? -1 : 1;
    if (column.order) return (one, other) => sign * (column.order(one) - column.order(other)) || one[LINE] - other[LINE];
    const words = new Map(rows.map((row) => [row, column.text(row)]));
    const collator = new Intl.Collator("en", { numeric: true });
    return (one, other) => sign * collator.compare(words.get(one), words.get(other)) || one[LINE] - other[LINE];
  };
  let sorted = rows.slice().sort(compare());

  const apply = (keepsPlace) => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    const fits = (row) => (chosen.size === 0 || chosen.has(row[CODE])) && words.every((word) => haystack(place.get(row)).includes(word));
    const before = shown[active];
    shown = chosen.size === 0 && words.length === 0 ? sorted : sorted.filter(fits);
    active = keepsPlace ? Math.max(0, shown.indexOf(before)) : 0;
    status.textContent = shown.length === rows.length ? number(rows.length) + (rows.length === 1 ? " row" : " rows") : shown.length === 0 ? "No row matches." : number(shown.length) + " of " + number(rows.length) + " rows";
    grid.setAttribute("aria-rowcount", String(shown.length + 1));
    if (!keepsPlace) grid.scrollTop = 0;
    pool.forEach((made) => made.remove());
    pool.clear();
    draw();
  };

  // ---- The rows in sight ----
  const pool = new Map();
  const height = () => parseFloat(getComputedStyle(columns).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const headHeight = () => byId("columns").parentElement.offsetHeight;

  const drawRow = (index, tall) => {
    const row = shown[index];
    const made = element("div", "row");
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", String(index + 2));
    made.dataset.index = String(index);
    made.tabIndex = index === active ? 0 : -1;
    made.style.top = index * tall + "px";
    for (const column of COLUMNS) {
      const cell = element("div", "cell " + column.key);
      cell.setAttribute("role", "gridcell");
      if (column.key === "outcome") cell.append(element("span", "dot " + codes[row[CODE]].group));
      cell.append(visible(column.text(row)));
      made.append(cell);
    }
    return made;
  };

  const draw = () => {
    const tall = height();
    body.style.height = shown.length * tall + "px";
    const first = Math.max(0, Math.floor(grid.scrollTop / tall) - BEYOND);
    const last = Math.min(shown.length - 1, Math.ceil((grid.scrollTop + grid.clientHeight) / tall) + BEYOND);
    for (const [index, made] of pool) {
      // The row with the focus stays: whoever scrolls away from it comes back to it.
      if ((index < first || index > last) && index !== active) {
        made.remove();
        pool.delete(index);
      }
    }
    for (let index = first; index <= last; index += 1) if (!pool.has(index)) add(index, tall);
    if (active < shown.length && !pool.has(active)) add(active, tall);
  };

  // Rows stand in the document in their order, so that they are read aloud in it.
  const add = (index, tall) => {
    const made = drawRow(index, tall);
    let next = null;
    for (const child of body.children) if (Number(child.dataset.index) > index) { next = child; break; }
    body.insertBefore(made, next);
    pool.set(index, made);
  };

  const activate = (index, takesFocus) => {
    if (shown.length === 0) return;
    const old = pool.get(active);
    if (old) old.tabIndex = -1;
    active = Math.min(Math.max(index, 0), shown.length - 1);
    const tall = height();
    const top = active * tall, room = grid.clientHeight - headHeight();
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + tall > grid.scrollTop + room) grid.scrollTop = top + tall - room;
    draw();
    const made = pool.get(active);
    made.tabIndex = 0;
    if (takesFocus) made.focus({ preventScroll: true });
  };

  let isDue = false;
  grid.addEventListener("scroll", () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; draw(); });
  }, { passive: true });
  const redraw = () => { pool.forEach((made) => made.remove()); pool.clear(); draw(); };
  matchMedia("(max-width: 44rem)").addEventListener("change", redraw);
  addEventListener("resize", () => draw());

  body.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((grid.clientHeight - headHeight()) / height()) - 1);
    const steps = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: shown.length - 1 };
    if (event.key in steps) {
      event.preventDefault();
      activate(steps[event.key], true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(active);
    }
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row || String(getSelection())) return;
    activate(Number(row.dataset.index), false);
    show(active);
  });
  body.addEventListener("focusin", (event) => {
    const row = event.target.closest(".row");
    if (row) { const old = pool.get(active); if (old) old.tabIndex = -1; active = Number(row.dataset.index); row.tabIndex = 0; }
  });

  // ---- Order ----
  const sortBy = (key, down) => {
    order = { key, down };
    sorted = rows.slice().sort(compare());
    for (const cell of columns.children) cell.setAttribute("aria-sort", cell.dataset.key !== key ? "none" : down ? "descending" : "ascending");
    sort.value = key + (down ? "-down" : "");
    apply(false);
  };
  for (const column of COLUMNS) {
    const cell = element("div", "cell " + column.key);
    cell.setAttribute("role", "columnheader");
    cell.setAttribute("aria-sort", column.key === "line" ? "ascending" : "none");
    cell.dataset.key = column.key;
    const button = element("button", "", column.title);
    button.type = "button";
    button.addEventListener("click", () => sortBy(column.key, order.key === column.key && !order.down));
    cell.append(button);
    columns.append(cell);
  }
  columns.setAttribute("aria-rowindex", "1");
  grid.setAttribute("aria-colcount", String(COLUMNS.length));
  for (const { key, title } of ORDERS) for (const down of [false, true]) {
    const option = element("option", "", title + (down ? " ↓" : " ↑"));
    option.value = key + (down ? "-down" : "");
    sort.append(option);
  }
  sort.addEventListener("change", () => sortBy(sort.value.replace("-down", ""), sort.value.endsWith("-down")));

  // ---- Outcomes to list ----
  const tally = new Map();
  for (const row of rows) tally.set(row[CODE], (tally.get(row[CODE]) || 0) + 1);
  const choose = (code, on) => {
    if (on) chosen.add(code); else chosen.delete(code);
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chosen.has(Number(chip.dataset.place))));
  };
  for (const [code, count] of [...tally].sort((one, other) => other[1] - one[1])) {
    const chip = element("button");
    chip.type = "button";
    chip.dataset.place = String(code);
    chip.setAttribute("aria-pressed", "false");
    chip.append(element("span", "dot " + codes[code].group), codes[code].code, element("span", "tally", number(count)));
    chip.addEventListener("click", () => { choose(code, !chosen.has(code)); apply(false); });
    chips.append(chip);
  }
  for (const button of document.querySelectorAll("button.show")) {
    const code = codes.findIndex((known) => known.code === button.dataset.code);
    button.hidden = !tally.has(code);
    button.addEventListener("click", () => {
      chosen.clear();
      choose(code, true);
      search.value = "";
      apply(false);
      byId("rows").scrollIntoView();
      activate(0, false);
      pool.get(0).focus({ preventScroll: true });
    });
  }

  search.addEventListener("input", () => apply(false));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && search.value) { event.preventDefault(); search.value = ""; apply(false); }
    if (event.key === "ArrowDown") { event.preventDefault(); activate(active, true); }
  });
  addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "") || detail.open;
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); search.focus(); search.select(); }
  });

  // ---- One row, whole ----
  const detail = byId("detail"), list = byId("detail-list");
  const everything = (row) => [
    ["Line", String(row[LINE])], ["Leaf user", row[USER]], ["Login", row[LOGIN]], ["Outcome", codes[row[CODE]].code],
    ["Meaning", codes[row[CODE]].meaning], ["What happened", said(row)], ["What to do", codes[row[CODE]].advice], ["Up to", codes[row[CODE]].owner],
    ["The next run", codes[row[CODE]].nextRun], ["Stage", stage(row)], ["HTTP status", row[STATUS]], ["Sent", row[ATTEMPTS] === null ? null : row[ATTEMPTS] === 1 ? "once" : row[ATTEMPTS] + " times"],
    ["Credential", row[CREDENTIAL]], ["Its status", row[STANDING]], ["Time", finished(row)],
  ].concat(kept.map((name, index) => [name, row[KEPT + index]])).filter(([, value]) => value !== null && value !== undefined && value !== "");
  let looked = 0;
  const show = (index) => {
    const row = shown[index];
    if (!row) return;
    byId("detail-title").textContent = "Line " + row[LINE];
    byId("detail-status").textContent = "";
    list.replaceChildren(...everything(row).flatMap(([name, value]) => [element("dt", "", visible(name)), element("dd", "", visible(value))]));
    byId("detail-before").disabled = index === 0;
    byId("detail-after").disabled = index === shown.length - 1;
    looked = index;
    if (!detail.open) detail.showModal();
  };
  const step = (by) => { const next = looked + by; if (next >= 0 && next < shown.length) { activate(next, false); show(next); } };
  byId("detail-before").addEventListener("click", () => step(-1));
  byId("detail-after").addEventListener("click", () => step(1));
  byId("detail-close").addEventListener("click", () => detail.close());
  // The browser gives the focus back to the row that was looked at first.
  detail.addEventListener("close", () => activate(looked, true));
  detail.addEventListener("click", (event) => { if (event.target === detail) detail.close(); });
  detail.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  // ---- Copying ----
  // A spreadsheet would carry out a pasted cell that begins so; one leading ' keeps it text, as in the CSV report.
  const asCell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" + text : text;
    return /["\t\r\n]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  };
  const FIELDS = ["line", "leafUserId", "login", "outcome", "stage", "httpStatus", "attempts", "credentialId", "credentialStatus", "finishedAt", "message", "advice"];
  const asLine = (row) => [row[LINE], row[USER], row[LOGIN], codes[row[CODE]].code, stage(row), row[STATUS], row[ATTEMPTS], row[CREDENTIAL], row[STANDING], row[FINISHED] === null ? "" : new Date(row[FINISHED]).toISOString(), said(row), codes[row[CODE]].advice].concat(row.slice(KEPT)).map(asCell).join("\t");
  const copy = async (text, told, into) => {
    let isDone = false;
    try {
      await navigator.clipboard.writeText(text);
      isDone = true;
    } catch {
      const area = element("textarea");
      area.value = text;
      area.setAttribute("aria-hidden", "true");
      (detail.open ? detail : document.body).append(area);
      area.select();
      isDone = document.execCommand("copy");
      area.remove();
    }
    into.textContent = isDone ? told : "The browser refused to copy.";
  };
  byId("copy-rows").addEventListener("click", () => {
    const text = [FIELDS.concat(kept).map(asCell).join("\t")].concat(shown.map(asLine)).join("\n") + "\n";
    copy(text, number(shown.length) + (shown.length === 1 ? " row copied, for a spreadsheet." : " rows copied, for a spreadsheet."), status);
  });
  byId("copy-users").addEventListener("click", () => {
    const users = [...new Set(shown.map((row) => row[USER]).filter(Boolean))];
    copy(users.join("\n") + "\n", number(users.length) + " leafUserIds copied, one a line.", status);
  });
  byId("detail-copy").addEventListener("click", () => {
    copy(everything(shown[looked]).map(([name, value]) => name + ": " + value).join("\n") + "\n", "Copied.", byId("detail-status"));
  });

  // ---- On paper ----
  const printed = byId("printed"), more = byId("printed-more");
  const print = () => {
    const headings = element("tr"), parts = element("tbody"), top = element("thead");
    for (const column of COLUMNS) { const cell = element("th", "", column.title); cell.scope = "col"; headings.append(cell); }
    top.append(headings);
    for (const row of shown.slice(0, MOST_PRINTED)) {
      const made = element("tr");
      for (const column of COLUMNS) made.append(element("td", "", visible(column.text(row))));
      parts.append(made);
    }
    printed.replaceChildren(top, parts);
    const rest = shown.length - MOST_PRINTED;
    more.textContent = rest > 0 ? number(rest) + " more rows aren’t printed." : "";
  };
  addEventListener("beforeprint", print);
  addEventListener("afterprint", () => { printed.replaceChildren(); more.textContent = ""; });

  tool.hidden = false;
  sort.value = "line";
  apply(false);
  // The first search needn't wait for what can be made ready before it.
  let ready = 0;
  const prepare = () => {
    const end = Math.min(ready + 500, rows.length);
    for (; ready < end; ready += 1) haystack(ready);
    if (ready < rows.length) setTimeout(prepare);
  };
  setTimeout(prepare);
})();
