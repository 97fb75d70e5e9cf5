(select * from orders.reader_checkpoint union all select * from inventory.reader_checkpoint
 union all select * from invoices.reader_checkpoint union all select * from query.reader_checkpoint)
