// Pointing at a thing with a key lights up what the links say belongs to it. What is pointed at
// comes first, then what has the focus, then what was clicked, which stays until Escape.
"use strict";
(() => {
  const { links, shares } = JSON.parse(document.getElementById("links").textContent);
  const picture = document.getElementById("picture");
  const showing = document.getElementById("showing");
  const mostLabels = 12;
  const elements = new Map();
  for (const element of document.querySelectorAll("[data-key], [data-shows]")) {
    const key = element.dataset.key ?? element.dataset.shows;
    if (!elements.has(key)) elements.set(key, []);
    elements.get(key).push(element);
  }
  const labels = new Map();
  for (const label of picture.querySelectorAll(".object text")) labels.set(label, label.textContent);

  let hovered = null;
  let focused = null;
  let pinned = null;
  let lit = [];

  const light = (key, name) => {
    for (const element of elements.get(key) ?? []) {
      element.classList.add(name);
      lit.push(element);
    }
  };

  const clear = () => {
    for (const element of lit) {
      element.classList.remove("on", "near", "beside");
      if (element.closest("#picture")) element.style.opacity = "";
    }
    lit = [];
    for (const [label, text] of labels) label.textContent = text;
    picture.classList.remove("busy", "mapping", "crowded");
  };

  // The objects of some steps, on the picture alone: the rest of the page has the steps.
  const place = (steps, name) => {
    const likeliest = {};
    for (const step of steps ?? []) {
      for (const [index, share] of Object.entries(shares[step] ?? {})) {
        likeliest[index] = Math.max(likeliest[index] ?? 0, share);
      }
    }
    for (const [index, share] of Object.entries(likeliest)) {
      for (const element of elements.get(`o${index}`) ?? []) {
        if (!picture.contains(element) || element.classList.contains("on")) continue;
        element.classList.add(name);
        element.style.opacity = String(0.15 + 0.85 * share);
        lit.push(element);
        const label = element.querySelector("text");
        if (label) label.textContent = `#${index} ${share.toFixed(2)}`;
      }
    }
    return Object.keys(likeliest).length;
  };

  const show = () => {
    clear();
    const key = hovered ?? focused ?? pinned;
    const link = key === null ? undefined : links[key];
    showing.textContent = link?.says ?? "";
    if (!link) return;
    for (const other of link.near ?? []) light(other, "near");
    light(key, "on");
    for (const other of link.on ?? []) {
      // Of the maps, only the one that is asked for is laid over the picture.
      if (other[0] !== "m") light(other, "on");
    }
    if (link.map) {
      light(link.map, "on");
      picture.classList.add("mapping");
    } else {
      for (const element of elements.get(`o${key.slice(1)}`) ?? []) {
        if (key[0] === "o" && picture.contains(element)) element.classList.add("on");
      }
    }
    const shown = place(link.steps, "on") + place(link.landmarks, "beside");
    picture.classList.toggle("crowded", shown > mostLabels);
    picture.classList.toggle("busy", true);
  };

  const keyOf = (target) => {
    const key = target instanceof Element ? target.closest("[data-key]")?.dataset.key : undefined;
    return key !== undefined && key in links ? key : null;
  };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    hovered = keyOf(event.target);
    show();
  });
  document.documentElement.addEventListener("pointerleave", () => {
    hovered = null;
    show();
  });
  document.addEventListener("focusin", (event) => {
    focused = event.target.matches(":focus-visible") ? keyOf(event.target) : null;
    show();
  });
  document.addEventListener("focusout", () => {
    focused = null;
    show();
  });
  document.addEventListener("click", (event) => {
    const key = keyOf(event.target);
    if (key === null && event.target instanceof Element && event.target.closest("a, summary")) return;
    pinned = key === pinned ? null : key;
    for (const button of document.querySelectorAll("button[data-key]")) {
      button.setAttribute("aria-pressed", String(button.dataset.key === pinned));
    }
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hovered = focused = pinned = null;
    for (const button of document.querySelectorAll("[aria-pressed=true]")) {
      button.setAttribute("aria-pressed", "false");
    }
    show();
  });
})();
