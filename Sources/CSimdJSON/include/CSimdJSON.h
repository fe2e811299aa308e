// simdjson's structural index behind a C ABI.
#pragma once
