-- Whoever inserts indexes too: a trigger writes the index to disk for every single row, which takes
-- twice as long for many.
DROP TRIGGER books_text_insert;
