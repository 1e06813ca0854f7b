// Enhances the page: live refresh, posting and paging without a reload. Everything works without it.
"use strict";

const REFRESH = 3000; // ms; the answer is 304 without a body while nothing changed
const list = document.getElementById("messages");
const form = document.getElementById("post-form");
const status = document.getElementById("form-status");
const more = document.getElementById("more");

function showTime(element) {
  element.textContent = new Date(element.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

function build(message) {
  const entry = document.getElementById("entry").content.firstElementChild.cloneNode(true);
  entry.dataset.id = message.id;
  entry.querySelector(".text").textContent = message.text;
  entry.querySelector(".instance").textContent = message.instance;
  entry.querySelector("time").dateTime = message.posted_at;
  showTime(entry.querySelector("time"));
  return entry;
}

// Ids sort by time, so a message's place in the list is found by comparing text.
function insert(message) {
  let after = null;
  for (const entry of list.children) {
    if (entry.dataset.id === message.id) return;
    if (entry.dataset.id < message.id) { after = entry; break; }
  }
  const entry = build(message);
  entry.classList.add("new");
  list.insertBefore(entry, after);
  document.getElementById("empty").hidden = true;
}

function showCounts(counts) {
  if (!counts) return;
  document.getElementById("visitors").textContent = counts.visitors;
  const rows = Object.entries(counts.messages_by_instance).map(([instance, posts]) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const number = document.createElement("strong");
    name.className = "instance";
    name.textContent = instance;
    number.textContent = posts;
    row.append(name, " ", number);
    return row;
  });
  document.getElementById("posts").replaceChildren(...rows);
}

function showServer(servedBy) {
  document.getElementById("served-by").textContent = `Served by ${servedBy.instance} in ${servedBy.zone}`;
}

let etag = "";
let wait = REFRESH;
async function refresh() {
  try {
    const response = await fetch("/api/messages", { headers: etag ? { "If-None-Match": etag } : {} });
    if (response.status === 200) {
      etag = response.headers.get("ETag");
      const page = await response.json();
      page.messages.forEach(insert);
      showCounts(page.counts);
      showServer(page.served_by);
    }
    wait = response.status < 500 ? REFRESH : Math.min(wait * 2, 60000);
  } catch {
    wait = Math.min(wait * 2, 60000);
  }
}

async function refreshForEver() {
  for (;;) {
    await new Promise((resume) => setTimeout(resume, wait * (0.8 + Math.random() * 0.4)));
    if (!document.hidden) await refresh();
  }
}

function newToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function post(event) {
  event.preventDefault();
  const button = form.querySelector("button");
  const fields = Object.fromEntries(new FormData(form));
  button.disabled = true;
  status.classList.remove("failed");
  status.textContent = "Posting…";
  try {
    const response = await fetch("/api/messages", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    insert(answer.message);
    showServer(answer.served_by);
    status.textContent = "Your message is on the board.";
    form.elements.text.value = "";
    form.elements.client_token.value = newToken();
    refresh();
  } catch (error) {
    // The token stays: sending the same text again cannot double it.
    status.classList.add("failed");
    status.textContent = error instanceof TypeError ? "The board did not answer. Please try again." : error.message;
  } finally {
    button.disabled = false;
  }
}

async function loadMore(event) {
  event.preventDefault();
  const response = await fetch(`/api/messages?before=${new URL(more.href).searchParams.get("before")}`).catch(() => null);
  if (!response?.ok) { location.href = more.href; return; }
  const page = await response.json();
  list.append(...page.messages.map(build));
  if (page.next) more.href = `/?before=${page.next}`;
  else more.remove();
}

document.querySelectorAll("time").forEach(showTime);
form?.addEventListener("submit", post);
more?.addEventListener("click", loadMore);
if (list.hasAttribute("data-live")) refreshForEver();
