-- Rights that were given back while no machine of their station worked (pollbook.settling.homeward): looked for each minute, among
-- all of a nation. A check-in changes no holder, so that it stays as cheap as it was.
CREATE INDEX entitlement_returned ON entitlement (poll, home) WHERE starts_with(holder, 'returned/');
