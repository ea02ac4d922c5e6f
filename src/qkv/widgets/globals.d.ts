// What the scripts of a page find there, for `tsc --checkJs`.
declare var qkvHost: any; // book/_static/host.js
declare var qkvCover: any; // book/_static/cover.js
declare var qkvMemory: any; // book/_static/memory.js
declare var qkvIndex: any; // _static/search-index.js, written by book/_ext/site_search.py
