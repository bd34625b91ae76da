// Keeps the front page up to date: parts of it arrive as server-sent events,
// and what is still to last is counted down here.
"use strict";

const script = document.currentScript;
const pulse = document.getElementById("pulse");
let source = null;
let ahead = 0; // by how many ms this browser's clock is ahead of the server's

// words says how long something is still to last, as the server does.
function words(ms) {
  const s = Math.ceil(ms / 1000);
  if (s <= 0) return "any moment";
  if (s < 60) return `in ${s} s`;
  if (s < 3600) return `in ${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} min`;
  return `in ${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

function count() {
  const now = Date.now() - ahead;
  for (const time of document.querySelectorAll("time[data-until]")) {
    const text = words(Number(time.dataset.until) - now);
    if (time.textContent !== text) time.textContent = text;
  }
}

// fill puts a part in its place. What was unfolded stays so, and the keyboard
// stays where it was.
function fill(id, html) {
  const place = document.getElementById(id);
  if (place.innerHTML.trim() === html.trim()) return;
  const open = [...place.querySelectorAll("details[open]")].map((d) => d.id);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const within = focused && (focused.id || focused.closest("[id]").id);
  place.innerHTML = html;
  for (const name of open) {
    const again = document.getElementById(name);
    if (again) again.open = true;
  }
  if (within) {
    const again = document.getElementById(within);
    if (again) (again.matches("details") ? again.querySelector("summary") : again).focus();
  }
  count();
}

function say(live) {
  pulse.hidden = false;
  pulse.className = live ? "on" : "off";
  pulse.textContent = live ? "Live" : "Connection lost, trying again";
  document.getElementById("reload").hidden = live;
  document.getElementById("asof").hidden = live;
}

function listen() {
  if (source) return;
  const span = script.dataset.span;
  source = new EventSource("/live" + (span ? "?span=" + encodeURIComponent(span) : ""));
  source.addEventListener("hello", (e) => {
    const [version, now] = e.data.split(" ");
    if (version !== script.dataset.version) location.reload(); // the server was started anew
    ahead = Date.now() - Number(now);
    say(true);
  });
  for (const id of ["headline", "trouble", "circuits", "people", "spans", "outcomes", "campaigns", "events"]) {
    source.addEventListener(id, (e) => fill(id, e.data));
  }
  source.onerror = () => {
    say(false);
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(listen, 5000);
    }
  };
}

// A page that nobody sees needs no connection.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    listen();
  } else if (source) {
    source.close();
    source = null;
  }
});

setInterval(count, 250);
count();
listen();
