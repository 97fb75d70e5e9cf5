-- What has ended stays as it is, but for a refund that failed after its provider had called it completed.
UPDATE refund_part
SET state = $3, reference = coalesce($4, reference), reason = $5, changed_at = clock_timestamp()
WHERE refund_id = $1 AND number = $2
  AND (state IN ('PLANNED', 'ASKED') OR state = 'COMPLETED' AND $3 = 'FAILED' OR state = 'FAILED' AND $3 = 'COMPLETED')
