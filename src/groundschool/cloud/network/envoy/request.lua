-- Runs for each request of a load balancer.
-- AWS: Application Load Balancers user guide, "Request tracing", "X-Forwarded headers"
-- and "Redirect actions".

math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)

local function new_trace()
  local random = math.random
  return string.format("1-%08x-%06x%06x%06x%06x", os.time(),
    random(0, 0xffffff), random(0, 0xffffff), random(0, 0xffffff), random(0, 0xffffff))
end

local function trace(headers)
  local incoming = headers:get("x-amzn-trace-id")
  if incoming == nil then
    headers:replace("x-amzn-trace-id", "Root=" .. new_trace())
  elseif incoming:find("Root=", 1, true) then
    headers:replace("x-amzn-trace-id", "Self=" .. new_trace() .. ";" .. incoming)
  else
    headers:replace("x-amzn-trace-id", "Root=" .. new_trace() .. ";" .. incoming)
  end
end

local function forwarded_for(headers, peer)
  local client, incoming = peer:gsub(":%d+$", ""), headers:get("x-forwarded-for")
  headers:replace("x-forwarded-for", incoming and (incoming .. ", " .. client) or client)
end

local function location(template, headers)
  local path, query = headers:get(":path"):match("^/?([^?]*)%??(.*)$")
  local values = { host = headers:get(":authority"):gsub(":%d+$", ""), path = path, query = query }
  return (template:gsub("#{(%w+)}", values):gsub("%?$", ""))
end

function envoy_on_request(handle)
  local template = handle:metadata():get("location")
  if template then
    local answer = { [":status"] = handle:metadata():get("status"), ["location"] = location(template, handle:headers()) }
    handle:respond(answer, "")
  else
    trace(handle:headers())
    forwarded_for(handle:headers(), handle:streamInfo():downstreamDirectRemoteAddress())
  end
end
