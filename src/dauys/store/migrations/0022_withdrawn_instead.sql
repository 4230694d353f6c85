-- Of one person's two rights the one that was used stays, and the other is asked back in its place: given back, should that use
-- be taken back (pollbook.returns).
ALTER TABLE roll_withdrawal ADD instead boolean NOT NULL DEFAULT false;
