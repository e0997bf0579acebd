-- a script of statements and commands
\timing on
SELECT 1;
\timing off
SELECT
  nope FROM t;
